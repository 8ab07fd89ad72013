# ruff: noqa: E501 - one hostile file a line reads better than three
from __future__ import annotations

import io
from typing import Any

import docx as python_docx
import pytest

from reviews.formats import Inspection, Reason
from tests.reviews.formats.made import (
    MAIN,
    REL,
    RELATIONS,
    WORD,
    docx,
    examine,
    found,
    override,
    paragraph,
    parts,
    refusal,
    relation,
    zipped,
)

BOMB = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>'
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def field(code: str) -> str:
    """A field as Word writes it: code between begin and separate, cut in two pieces."""
    half = len(code) // 2
    return (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve">{code[:half]}</w:instrText></w:r>'
        f'<w:r><w:instrText xml:space="preserve">{code[half:]}</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>shown</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )


def run(text: str, properties: str = "") -> str:
    return f"<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def inspected(body: str = "", **how: Any) -> Inspection:
    return examine("a.docx", docx(body, **how))


def test_a_document_of_another_program_is_accepted() -> None:
    document = python_docx.Document()
    document.add_heading("Lease", level=1)
    document.add_paragraph("Three more words", style="List Number")
    document.add_table(rows=1, cols=2).cell(0, 1).text = "in a cell"
    out = io.BytesIO()
    document.save(out)
    inspection = examine("a.docx", out.getvalue())
    assert inspection.word_count == 7 and inspection.page_count is None


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (Reason.MACRO, docx(more={"word/vbaProject.bin": b"x"})),
        (Reason.MACRO, docx(relations=relation("vbaProject", "vba.bin"), more={"word/vba.bin": b"x"})),
        (Reason.MACRO, docx(types=override("word/x.bin", "application/vnd.ms-office.vbaProject"))),
        (Reason.MACRO, docx(main="application/vnd.ms-word.document.macroEnabled.main+xml")),
        (Reason.MACRO, docx(relations=relation("keyMapCustomizations", "k.xml"))),
        (Reason.ACTIVE, docx(more={"word/activeX/activeX1.xml": "<x/>"})),
        (Reason.ACTIVE, docx(relations=relation("control", "x.xml"))),
        (Reason.ACTIVE, docx('<w:p><w:r><w:object><w:control r:id="rId1"/></w:object></w:r></w:p>')),
        (Reason.EMBEDDED_PROGRAM, docx(more={"word/embeddings/oleObject1.bin": b"x"})),
        (Reason.EMBEDDED_PROGRAM, docx(relations=relation("oleObject", "embeddings/o.bin"))),
        (Reason.EMBEDDED_PROGRAM, docx('<w:p><w:r><w:object><o:OLEObject r:id="rId1"/></w:object></w:r></w:p>')),
        (Reason.EMBEDDED_PROGRAM, docx(more={"word/media/a.png": b"MZ\x90\x00"})),
        (Reason.EMBEDDED_PROGRAM, docx(more={"word/media/a.png": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"})),
        (Reason.EMBEDDED_PROGRAM, docx(more={"word/embeddings/run.exe": b"x"})),
        (Reason.EMBEDDED_DOCUMENT, docx('<w:altChunk r:id="rId9"/>')),
        (Reason.EMBEDDED_DOCUMENT, docx(relations=relation("aFChunk", "chunk.html"))),
        (Reason.EMBEDDED_DOCUMENT, docx('<w:p><w:subDoc r:id="rId9"/></w:p>')),
        (Reason.EMBEDDED_DOCUMENT, docx(relations=relation("subDocument", "x.docx"))),
        (Reason.TEMPLATE, docx(relations=relation("attachedTemplate", "https://evil.example/t.dotm", external=True))),
        (Reason.TEMPLATE, docx(relations=relation("attachedTemplate", "file:///C:/Normal.dotx", external=True))),
        (Reason.TEMPLATE, docx(types=override("word/t.xml", f"{WORD}.template.main+xml"))),
        (Reason.EXTERNAL, docx(relations=relation("image", "https://evil.example/a.png", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("image", "file:///etc/passwd", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("image", "\\\\host\\share\\a.png", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("image", "http://evil.example/a.png"))),
        (Reason.EXTERNAL, docx(relations=relation("image", "//evil.example/a.png"))),
        (Reason.EXTERNAL, docx(relations=relation("image", "..\\..\\a.png"))),
        (Reason.EXTERNAL, docx(relations=relation("frame", "https://evil.example/", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("mailMergeSource", "file:///c:/x.csv", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("hyperlink", "file:///c:/x.exe", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("hyperlink", "javascript:alert(1)", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("hyperlink", "ms-word:ofe|u|x", external=True))),
        (Reason.EXTERNAL, docx(relations=relation("hyperlink", "\\\\host\\share", external=True))),
        (Reason.EXTERNAL, docx(field(' HYPERLINK "file://host/share/x" '))),
        (Reason.EXTERNAL, docx('<w:p><w:r><w:pict><v:imagedata src="http://evil.example/a"/></w:pict></w:r></w:p>')),
        (Reason.EXTERNAL, docx('<w:p><w:r><w:pict><v:fill src="\\\\host\\share"/></w:pict></w:r></w:p>')),
        (Reason.ACTIVE, docx(field(' DDE excel "x" '))),
        (Reason.ACTIVE, docx(field(' ddeauto c:\\\\windows\\\\system32\\\\cmd.exe "/k calc" '))),
        (Reason.ACTIVE, docx(field(" MACROBUTTON AutoRun click "))),
        (Reason.ACTIVE, docx('<w:p><w:fldSimple w:instr=" DDEAUTO excel x "><w:r/></w:fldSimple></w:p>')),
        (Reason.DUPLICATE, docx(types=override("word/other.xml", MAIN), more={"word/other.xml": "<x/>"})),
        (Reason.DUPLICATE, docx(types=override("word/document.xml", "text/xml"))),
        (Reason.DUPLICATE, docx(root=f'<Relationship Id="r7" Type="{REL}/officeDocument" Target="word/document.xml"/>')),
        (Reason.MISMATCH, docx(main="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml")),
        (Reason.MISMATCH, zipped({"hello.txt": b"hello"})),
        (Reason.DAMAGED, zipped({**parts(), "word/document.xml": b"<w:document"})),
        (Reason.DAMAGED, zipped({**parts(), "word/document.xml": b""})),
        (Reason.DAMAGED, zipped({**parts(), "word/document.xml": b'<?xml version="1.0" encoding="no-such"?><a/>'})),
        (Reason.DAMAGED, zipped({**parts(), "[Content_Types].xml": b"<Types"})),
        (Reason.DTD, docx(more={"word/styles.xml": f"{BOMB}<x>&lol2;</x>"})),
        (Reason.DTD, docx(more={"word/document.xml": f"{XXE}<x>&e;</x>"})),
        (Reason.DTD, docx(more={"word/footnotes.xml": '<!DOCTYPE x SYSTEM "http://evil.example/x.dtd"><x/>'})),
        (Reason.DTD, docx(more={"customXml/item1.xml": "<!DOCTYPE x><x/>"})),
        (Reason.DTD, docx(more={"word/_rels/x.xml.rels": f"{XXE}<Relationships/>"})),
        (Reason.DTD, docx(more={"[Content_Types].xml": f"{XXE}<Types/>"})),
        (
            Reason.DTD,
            docx(types=override("word/styles.bin", f"{WORD}.styles+xml"), more={"word/styles.bin": f"{XXE}<x/>"}),
        ),
        (Reason.TOO_COMPLEX, docx("<w:p>" * 250 + "</w:p>" * 250)),
    ],
)  # fmt: skip
def test_what_acts_or_fetches_is_refused_for_its_own_reason(code: Reason, data: bytes) -> None:
    assert refusal("a.docx", data).code is code


def test_a_dtd_in_utf_16_is_seen_too() -> None:
    data = f'<?xml version="1.0" encoding="UTF-16"?>{XXE}<x>&e;</x>'.encode("utf-16")
    assert refusal("a.docx", docx(more={"word/styles.xml": data})).code is Reason.DTD


def test_links_to_the_web_and_to_mailboxes_are_listed_by_host() -> None:
    links = [
        relation("hyperlink", target, key=f"rId{number}", external=True)
        for number, target in enumerate(
            ["https://a.example/x?y=1", "http://b.example", "mailto:x@y.example"], 10
        )
    ]
    (finding,) = inspected(relations="".join(links)).findings
    assert finding.count == 3 and finding.sentence == "3 links to a.example, b.example, e-mail addresses."


@pytest.mark.parametrize(
    ("code", "count", "body"),
    [
        ("tracked_changes", 1, '<w:p><w:ins w:id="1" w:author="x"><w:r><w:t>new</w:t></w:r></w:ins></w:p>'),
        ("tracked_changes", 1, '<w:p><w:del w:id="1"><w:r><w:delText>old</w:delText></w:r></w:del></w:p>'),
        ("tracked_changes", 2, '<w:p><w:moveFrom w:id="1"/><w:moveTo w:id="2"/></w:p>'),
        ("tracked_changes", 1, '<w:p><w:pPr><w:rPr><w:del w:id="1"/></w:rPr></w:pPr></w:p>'),
        ("format_changes", 1, '<w:p><w:pPr><w:pPrChange w:id="1"><w:pPr/></w:pPrChange></w:pPr></w:p>'),
        ("hidden_text", 1, run("secret", "<w:vanish/>")),
        ("hidden_text", 1, run("secret", '<w:vanish w:val="true"/>')),
        ("hidden_text", 1, run("secret", "<w:specVanish/>")),
        ("faint_text", 1, run("tiny", '<w:sz w:val="2"/>')),
        ("faint_text", 1, run("white", '<w:color w:val="FFFFFF"/>')),
        ("outside_fields", 1, field(' INCLUDETEXT "x.docx" ')),
        ("outside_fields", 1, field(" INCLUDEPICTURE cid:image001.png ")),
        ("links", 1, field(' HYPERLINK "https://a.example" ')),
        ("invisible_characters", 2, run("pay \u202eoot\u202c")),
        ("invisible_characters", 1, run("no\u200bbreak")),
        (
            "alternate_text",
            1,
            "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:t>ten</w:t></mc:Choice>"
            "<mc:Fallback><w:t>one hundred</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>",
        ),
    ],
)
def test_what_the_page_does_not_show_is_listed(code: str, count: int, body: str) -> None:
    inspection = inspected(body)
    assert found(inspection) == {code: count}
    (finding,) = inspection.findings
    assert finding.sentence.endswith(".") and str(count) in finding.sentence


@pytest.mark.parametrize(
    "body",
    [
        run("plain", '<w:vanish w:val="0"/>'),
        run("", "<w:vanish/>"),
        run("small print", '<w:sz w:val="16"/>'),
        "<w:tbl><w:tr><w:tc><w:tcPr><w:shd w:fill='1F3864'/></w:tcPr>"
        + run("white on blue", '<w:color w:val="FFFFFF"/>')
        + "</w:tc></w:tr></w:tbl>",
        field(" PAGE "),
        field(' TOC \\\\o "1-3" \\\\h '),
        run("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:t>ten</w:t></mc:Choice>"
        "<mc:Fallback><w:t>ten</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>",
    ],
)
def test_honest_documents_are_not_accused(body: str) -> None:
    assert found(inspected(body)) == {}


def test_text_hidden_by_a_style_or_its_parent_is_listed() -> None:
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:style w:styleId="Base"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="Child"><w:basedOn w:val="Base"/></w:style></w:styles>'
    )
    body = run("a", '<w:rStyle w:val="Child"/>') + (
        '<w:p><w:pPr><w:pStyle w:val="Base"/></w:pPr><w:r><w:t>b</w:t></w:r></w:p>' + paragraph("c")
    )
    how: Any = {"relations": relation("styles", "styles.xml"), "more": {"word/styles.xml": styles}}
    assert found(inspected(body, **how)) == {"hidden_text": 2}


def test_comments_are_counted() -> None:
    comments = (
        '<w:comments xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        '<w:comment w:id="0"/><w:comment w:id="1"/></w:comments>'
    )
    how: Any = {"relations": relation("comments", "comments.xml"), "more": {"word/comments.xml": comments}}
    assert found(inspected(**how)) == {"comments": 2}


def test_luggage_is_listed() -> None:
    how: Any = {
        "types": override("word/embeddings/book.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        "root": relation("metadata/thumbnail", "docProps/thumbnail.png", key="rId7"),
        "relations": relation("package", "embeddings/book.xlsx") + relation("customXml", "../customXml/item1.xml", key="rId8"),
        "more": {
            "word/embeddings/book.xlsx": b"PK\x03\x04...",
            "docProps/thumbnail.png": b"\x89PNG",
            "customXml/item1.xml": "<x>secret</x>",
            "word/media/forgotten.png": b"\x89PNG",
        },
    }  # fmt: skip
    counts = {"embedded_files": 1, "thumbnail": 1, "custom_data": 1, "unreferenced_parts": 1}
    assert found(inspected(**how)) == counts


def test_the_files_details_name_their_author_in_a_sentence_fit_to_print() -> None:
    core = (
        '<p:coreProperties xmlns:p="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>Mallory \u202e&#10; x</dc:creator>'
        "<p:lastModifiedBy>Carol</p:lastModifiedBy></p:coreProperties>"
    )
    kind = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    root = f'<Relationship Id="rId5" Type="{kind}" Target="docProps/core.xml"/>'
    (finding,) = inspected(root=root, more={"docProps/core.xml": core}).findings
    assert finding.count == 2 and finding.sentence.isprintable()
    assert "author “Mallory � x”; last changed by “Carol”" in finding.sentence


def test_words_are_counted_across_the_pieces_word_cuts_them_into() -> None:
    body = (
        "<w:p><w:r><w:t>agree</w:t></w:r><w:r><w:t>ment of</w:t></w:r><w:r><w:t> sale</w:t></w:r></w:p>"
        + run("end")
    )
    assert inspected(body).word_count == 4


def test_relations_of_every_part_are_checked() -> None:
    rels = RELATIONS.format(more=relation("image", "http://evil.example/x.png", external=True))
    assert refusal("a.docx", docx(more={"word/_rels/header9.xml.rels": rels})).code is Reason.EXTERNAL
