# ruff: noqa: E501 - one piece of XML a line reads better than three
"""What is filed is visible or listed: nothing a Word file says may be missing from its preview."""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from typing import Any

import docx as python_docx
import pytest

from reviews.formats import MediaType
from reviews.preview.model import Preview
from reviews.preview.render import render
from tests.reviews.formats.made import EXAMPLES, WORD, docx, override, paragraph, relation
from tests.reviews.preview.test_sanitize import GIF, is_harmless

NS = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def preview(body: str = "", **how: Any) -> Preview:
    return render(MediaType.DOCX, io.BytesIO(docx(body, **how)))


def text(html: str) -> str:
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def test_headings_tables_and_lists_keep_their_shape() -> None:
    document = python_docx.Document()
    document.add_heading("Lease", level=2)
    document.add_paragraph("point", style="List Bullet")
    document.add_table(rows=1, cols=2).cell(0, 1).text = "cell"
    out = io.BytesIO()
    document.save(out)
    html = render(MediaType.DOCX, out).html
    assert "<h2>Lease</h2>" in html and "<li>point</li>" in html and "<td><p>cell</p></td>" in html


def test_insertions_and_deletions_are_both_shown_and_marked() -> None:
    body = (
        '<w:p><w:r><w:t xml:space="preserve">pay </w:t></w:r>'
        '<w:del w:id="1" w:author="x"><w:r><w:delText>ten</w:delText></w:r></w:del>'
        '<w:ins w:id="2" w:author="x"><w:r><w:rPr><w:b/></w:rPr><w:t>twenty</w:t></w:r></w:ins></w:p>'
    )
    html = preview(body).html
    assert '<del class="cs-del">ten</del>' in html
    assert re.search(
        r'<ins class="cs-ins"><strong>twenty</strong></ins>|<strong><ins class="cs-ins">twenty', html
    )


def test_a_moved_sentence_is_shown_where_it_was_and_where_it_is() -> None:
    body = (
        '<w:p><w:moveFrom w:id="1"><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>'
        '<w:p><w:moveTo w:id="2"><w:r><w:t>moved</w:t></w:r></w:moveTo></w:p>'
    )
    html = preview(body).html
    assert '<del class="cs-del">moved</del>' in html and '<ins class="cs-ins">moved</ins>' in html


def test_a_deleted_row_and_a_deleted_paragraph_end_are_shown() -> None:
    row = '<w:tr><w:trPr><w:del w:id="1"/></w:trPr><w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr>'
    ends = (
        '<w:p><w:pPr><w:rPr><w:del w:id="2"/></w:rPr></w:pPr><w:r><w:t>first</w:t></w:r></w:p>'
        + paragraph("second")
    )
    html = preview(f"<w:tbl>{row}</w:tbl>{ends}").html
    assert '<del class="cs-del">gone</del>' in html and '<del class="cs-del">¶</del>' in html


@pytest.mark.parametrize("by", ["<w:vanish/>", "<w:webHidden/>", '<w:rStyle w:val="Ghost"/>'])
def test_hidden_text_is_shown_and_marked(by: str) -> None:
    styles = f'<w:styles {NS}><w:style w:type="character" w:styleId="Ghost"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'
    how: Any = {"relations": relation("styles", "styles.xml"), "more": {"word/styles.xml": styles}}
    html = preview(f"<w:p><w:r><w:rPr>{by}</w:rPr><w:t>secret</w:t></w:r></w:p>", **how).html
    assert '<span class="cs-hidden">secret</span>' in html


def test_comments_headers_footers_and_notes_are_shown() -> None:
    def part(kind: str, inner: str) -> tuple[str, str, str]:
        root = {"header": "hdr", "footer": "ftr"}.get(kind, kind)
        return kind, f"word/{kind}.xml", f"<w:{root} {NS}>{inner}</w:{root}>"

    made = [
        part(
            "comments",
            f'<w:comment w:id="0" w:author="Bob" w:initials="BQ">{paragraph("too soft")}</w:comment>',
        ),
        part("footnotes", f'<w:footnote w:id="1">{paragraph("see clause 4")}</w:footnote>'),
        part("header", paragraph("Privileged")),
        part("footer", paragraph("Page one of nine")),
    ]
    body = '<w:p><w:r><w:t>text</w:t></w:r><w:r><w:footnoteReference w:id="1"/><w:commentReference w:id="0"/></w:r></w:p>'
    html = preview(
        body,
        types="".join(override(path, f"{WORD}.{kind}+xml") for kind, path, _ in made),
        relations="".join(relation(kind, f"{kind}.xml", key=f"r{kind}") for kind, _, _ in made),
        more={path: inner for _, path, inner in made},
    ).html
    shown = text(html)
    assert all(
        words in shown for words in ("too soft", "BQ", "see clause 4", "Privileged", "Page one of nine")
    )
    assert "Also in this file" not in shown


@pytest.mark.parametrize(
    "body",
    [
        '<w:p><w:fldSimple w:instr=" TITLE "><w:r><w:t>wanted words</w:t></w:r></w:fldSimple></w:p>',
        '<w:p><w:dir w:val="rtl"><w:r><w:t>wanted words</w:t></w:r></w:dir></w:p>',
        "<w:p><m:oMath><m:r><m:t>wanted words</m:t></m:r></m:oMath></w:p>",
        "<w:p><w:r><w:drawing><wp:anchor><a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>"
        + paragraph("wanted words")
        + "</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></w:r></w:p>",
        "<w:p><w:r><w:pict><v:shape><v:textbox><w:txbxContent>"
        + paragraph("wanted words")
        + "</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>",
        "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:t>wanted words</w:t></mc:Choice>"
        "</mc:AlternateContent></w:r></w:p>",
        "<w:p><w:unheardOf><w:r><w:t>wanted words</w:t></w:r></w:unheardOf></w:p>",
        "<w:sdt><w:sdtContent>" + paragraph("wanted words") + "</w:sdtContent></w:sdt>",
        '<w:p><w:r><w:sym w:font="Nonesuch" w:char="zz"/><w:t>wanted words</w:t></w:r></w:p>',
        '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="many"/></w:tcPr>' + paragraph("wanted words") + "</w:tc></w:tr></w:tbl>",
        "<w:p><w:r><w:footnoteReference/><w:t>wanted words</w:t></w:r></w:p>",
        '<w:p><w:r><w:commentReference w:id="77"/><w:t>wanted words</w:t></w:r></w:p>',
    ],
)  # fmt: skip
def test_no_wrapper_makes_words_disappear(body: str) -> None:
    assert "wanted words" in text(preview(body).html)


def test_both_branches_are_shown_when_their_words_differ() -> None:
    body = (
        "<w:p><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:t>ten</w:t></mc:Choice>"
        "<mc:Fallback><w:t>one hundred</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    shown = text(preview(body).html)
    assert "ten" in shown and "one hundred" in shown


def test_a_map_of_styles_inside_the_file_cannot_hide_anything() -> None:
    how: Any = {"more": {"mammoth/style-map": b"p => !\nr => !"}}
    assert "Dear Sir or Madam" in text(preview(**how).html)


def test_words_in_parts_that_are_not_laid_out_are_listed() -> None:
    diagram = (
        '<d:dataModel xmlns:d="urn:d" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        "<a:p><a:r><a:t>Clause nine is void</a:t></a:r></a:p></d:dataModel>"
    )
    html = preview(
        relations=relation("diagramData", "diagrams/data1.xml"), more={"word/diagrams/data1.xml": diagram}
    ).html
    assert "Also in this file: 1 piece of text" in html and "Clause nine is void" in html


def test_the_same_words_twice_in_the_file_must_be_there_twice_in_the_preview() -> None:
    body = paragraph("Clause nine") + "<w:unheardOf>" + paragraph("Clause nine") + "</w:unheardOf>"
    assert text(preview(body).html).count("Clause nine") == 2


def test_markup_in_the_words_of_a_document_stays_words() -> None:
    html = preview(
        paragraph("&lt;script&gt;alert(1)&lt;/script&gt; &lt;a href=&quot;https://x.example&quot;&gt;")
    ).html
    assert is_harmless(html) and "<script>" in text(html)


def test_a_link_leads_nowhere() -> None:
    body = '<w:p><w:hyperlink r:id="rId9"><w:r><w:t>here</w:t></w:r></w:hyperlink></w:p>'
    html = preview(body, relations=relation("hyperlink", "https://a.example/x", external=True)).html
    assert '<a data-href="https://a.example/x">here</a>' in html and is_harmless(html)


PICTURE = (
    "<w:p><w:r><w:drawing><wp:inline><wp:docPr id='1' name='x' descr='The seal'/><a:graphic><a:graphicData>"
    "<pic:pic><pic:blipFill><a:blip r:embed='rId9'/></pic:blipFill></pic:pic>"
    "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
)


def test_a_picture_in_the_file_is_shown_inline() -> None:
    gif = base64.b64decode(GIF.partition(",")[2])
    html = preview(
        PICTURE,
        types='<Default Extension="gif" ContentType="image/gif"/>',
        relations=relation("image", "media/seal.gif"),
        more={"word/media/seal.gif": gif},
    ).html
    assert f'<img alt="The seal" src="{GIF}">' in html


@pytest.mark.parametrize(("kind", "data"), [("emf", b"x"), ("svg+xml", b"<svg/>"), ("png", b"nonsense")])
def test_a_picture_that_cannot_be_shown_is_named_in_its_place(kind: str, data: bytes) -> None:
    html = preview(
        PICTURE,
        types=override("word/media/seal.dat", f"image/{kind}"),
        relations=relation("image", "media/seal.dat"),
        more={"word/media/seal.dat": data},
    ).html
    assert "[Picture: " in html and "The seal" in html and is_harmless(html)


def test_a_document_the_converter_stumbles_on_is_shown_as_text() -> None:
    shown = preview(
        '<w:p><w:r><w:sym w:font="x"/></w:r></w:p><w:p><w:hyperlink r:id="nowhere"/></w:p>'
        + paragraph("words")
    )
    assert "words" in text(shown.html)
    assert shown.notes == ("The document could not be laid out, so its text is shown without layout.",)


def test_a_very_long_document_is_shown_as_text() -> None:
    shown = preview(
        "".join(
            paragraph(f"Dear Sir, we write in matter {hash(n) * 2654435761 % 2**61}.") for n in range(140_000)
        )
    )
    assert shown.notes == (
        "The document is too large for the full preview, so its text is shown without layout.",
    )
    assert shown.html.count("Dear Sir") == 140_000


def test_the_engagement_letter_reads_with_its_printed_numbers() -> None:
    with (EXAMPLES / "drafts" / "Engagement letter - mutual wills.docx").open("rb") as file:
        shown = text(render(MediaType.DOCX, file).html)
    for clause in (
        "1. What we will do",
        "1.3 We will search",
        "(c) the shares of",
        "3.1 The law allows",
        "5.2 You may end",
    ):
        assert clause in shown


def test_the_memo_shows_its_redline() -> None:
    with (EXAMPLES / "drafts" / "Memo - assignment clause of the warehouse lease.docx").open("rb") as file:
        html = render(MediaType.DOCX, file).html
    assert '<del class="cs-del">may be withheld for any reason or none</del>' in html
    assert html.count('<ins class="cs-ins">') == 2 and "Ask the client for the landlord" in html
