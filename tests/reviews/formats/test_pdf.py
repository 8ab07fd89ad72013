from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from reviews.formats import Reason
from reviews.formats.pdf import MAX_PAGES
from tests.reviews.formats.made import CATALOG, examine, found, pdf, raw_pdf, refusal

Change = Callable[[pikepdf.Pdf], object]


def opening(action: Dictionary) -> Change:
    def change(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = action

    return change


def annotated(**entries: Any) -> Change:
    def change(document: pikepdf.Pdf) -> None:
        note = Dictionary(Type=Name.Annot, Rect=Array([0, 0, 9, 9]), **entries)
        note = document.make_indirect(note)
        document.pages[0].Annots = Array([note])
        if entries["Subtype"] == Name.Widget:
            document.Root.AcroForm = Dictionary(Fields=Array([note]))

    return change


def attached(name: str, data: bytes) -> Change:
    def change(document: pikepdf.Pdf) -> None:
        document.attachments[name] = data

    return change


def named_script(document: pikepdf.Pdf) -> None:
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("x"), script])))


def unreachable_script(document: pikepdf.Pdf) -> None:
    document.pages[0].PieceInfo = Dictionary(
        X=Dictionary(Private=Array([Array([Dictionary(JS=String("x"))])]))
    )


def xfa(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=Array(), XFA=document.make_stream(b"<xdp/>"))


def external_stream(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.F = String("//host/share/page")
    document.pages[0].Contents = stream


def deep(document: pikepdf.Pdf) -> None:
    nest = Array()
    for _ in range(90):
        nest = Array([nest])
    document.Root.Deep = nest


JAVASCRIPT = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
LAUNCH = Dictionary(S=Name.Launch, F=String("cmd.exe"))


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (Reason.ACTIVE, opening(JAVASCRIPT)),
        (Reason.ACTIVE, opening(LAUNCH)),
        (Reason.ACTIVE, opening(Dictionary(S=Name.GoTo, D=Array(), Next=JAVASCRIPT))),
        (Reason.ACTIVE, named_script),
        (Reason.ACTIVE, unreachable_script),
        (Reason.ACTIVE, annotated(Subtype=Name.Link, A=LAUNCH)),
        (Reason.ACTIVE, annotated(Subtype=Name.Widget, AA=Dictionary(K=JAVASCRIPT))),
        (Reason.DYNAMIC_FORM, xfa),
        (Reason.EXTERNAL, external_stream),
        (
            Reason.EXTERNAL,
            annotated(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("file:///etc/passwd"))),
        ),
        (
            Reason.EXTERNAL,
            annotated(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("javascript:alert(1)"))),
        ),
        (Reason.EMBEDDED_PROGRAM, attached("invoice.exe", b"x")),
        (Reason.EMBEDDED_PROGRAM, attached("harmless.txt", b"MZ\x90\x00")),
        (Reason.EMBEDDED_PROGRAM, attached("macro.docm", b"x")),
        (Reason.TOO_LONG, deep),
    ],
)
def test_what_acts_is_refused_for_its_own_reason(code: Reason, change: Change) -> None:
    assert refusal("a.pdf", pdf(change)).code is code


@pytest.mark.parametrize("streams", [pikepdf.ObjectStreamMode.generate, pikepdf.ObjectStreamMode.disable])
def test_scripts_inside_object_streams_are_seen_too(streams: pikepdf.ObjectStreamMode) -> None:
    assert refusal("a.pdf", pdf(named_script, object_stream_mode=streams)).code is Reason.ACTIVE


@pytest.mark.parametrize("user", ["", "open sesame"])
def test_a_protected_pdf_is_refused_with_or_without_a_password_to_open_it(user: str) -> None:
    data = pdf(encryption=pikepdf.Encryption(user=user, owner="owner"))
    assert refusal("a.pdf", data).code is Reason.ENCRYPTED


@pytest.mark.parametrize(
    "data",
    [
        pdf()[:-40],
        pdf().replace(b"startxref", b"startxxxx"),
        pdf().replace(b"xref", b"xxxx"),
        pdf().replace(b"/Pages", b"/Pagez"),
        b"%PDF-1.7\n%%EOF",
        b"%PDF-1.7\n" + b"\0" * 5000,
        pdf()[:200] + b"\0" * 50 + pdf()[200:],
    ],
)
def test_a_broken_pdf_is_refused_and_not_repaired(data: bytes) -> None:
    assert refusal("a.pdf", data).code in {Reason.DAMAGED, Reason.EMPTY}


def test_a_pdf_without_pages_is_refused() -> None:
    assert refusal("a.pdf", pdf(pages=0)).code in {Reason.EMPTY, Reason.DAMAGED}


def test_a_pdf_that_claims_a_million_pages_is_refused_before_they_are_read() -> None:
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count %d >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"
    assert examine("a.pdf", raw_pdf(CATALOG, pages % 1, page)).page_count == 1
    assert refusal("a.pdf", raw_pdf(CATALOG, pages % 1_000_000, page)).code is Reason.TOO_LONG


def test_a_page_that_contains_itself_is_refused_or_counted_once() -> None:
    pages = b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    assert refusal("a.pdf", raw_pdf(CATALOG, pages)).code in {Reason.DAMAGED, Reason.TOO_COMPLEX}


def test_tens_of_thousands_of_objects_are_read() -> None:
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"
    assert examine("a.pdf", raw_pdf(CATALOG, pages, page, *[b"<< /A [1 2 3] >>"] * 40_000)).page_count == 1


def test_too_many_pages_are_refused() -> None:
    assert refusal("a.pdf", pdf(pages=MAX_PAGES + 1)).code is Reason.TOO_LONG


def test_a_stream_that_swells_a_thousandfold_does_not_fill_the_memory() -> None:
    import zlib

    def swell(document: pikepdf.Pdf) -> None:
        twice = zlib.compress(zlib.compress(b"\0" * 300_000_000, 1), 9)
        stream = document.make_stream(b"")
        stream.write(twice, filter=Array([Name.FlateDecode, Name.FlateDecode]))
        document.pages[0].Contents = stream

    assert examine("a.pdf", pdf(swell)).page_count == 1


@pytest.mark.parametrize(
    ("code", "count", "change"),
    [
        ("comments", 1, annotated(Subtype=Name.Text, Contents=String("a note"))),
        ("comments", 1, annotated(Subtype=Name.Highlight)),
        ("form_fields", 1, annotated(Subtype=Name.Widget, FT=Name.Tx, T=String("name"))),
        ("signatures", 1, annotated(Subtype=Name.Widget, FT=Name.Sig, T=String("sig"))),
        ("actions", 2, opening(Dictionary(S=Name.SubmitForm, F=String("https://a.example")))),
        ("multimedia", 1, annotated(Subtype=Name.RichMedia)),
        (
            "links",
            1,
            annotated(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("https://a.example/x"))),
        ),
        ("embedded_files", 1, attached("exhibit.csv", b"a,b")),
    ],
)
def test_what_the_pages_do_not_show_is_listed(code: str, count: int, change: Change) -> None:
    inspection = examine("a.pdf", pdf(change))
    assert found(inspection) == {code: count}
    assert all(finding.sentence.endswith(".") for finding in inspection.findings)


def test_layers_are_listed() -> None:
    def layered(document: pikepdf.Pdf) -> None:
        layer = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("Confidential")))
        document.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))

    assert found(examine("a.pdf", pdf(layered))) == {"layers": 1}


def test_the_files_details_are_listed() -> None:
    def described(document: pikepdf.Pdf) -> None:
        document.docinfo["/Author"] = "Mallory \u202e"
        document.docinfo["/Title"] = "Exhibit C"

    (finding,) = examine("a.pdf", pdf(described)).findings
    assert finding.count == 2 and "title “Exhibit C”" in finding.sentence and finding.sentence.isprintable()


def test_earlier_states_inside_the_file_are_listed() -> None:
    first = pdf()
    at = first.rindex(b"startxref")
    where = first[at:].split()[1].decode()
    trailer = f"trailer\n<< /Size 4 /Root 1 0 R /Prev {where} >>\nstartxref\n{len(first) + 1}\n%%EOF\n"
    again = first + b"\nxref\n0 0\n" + trailer.encode()
    assert found(examine("a.pdf", again)).get("earlier_saves") == 1


def test_data_after_the_end_is_listed() -> None:
    assert found(examine("a.pdf", pdf() + b"some more data")) == {"trailing_data": 14}


def test_opening_at_a_page_is_not_an_action_worth_listing() -> None:
    def view(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = Array([document.pages[0].obj, Name.Fit])

    assert found(examine("a.pdf", pdf(view))) == {}


def test_pages_are_counted() -> None:
    inspection = examine("a.pdf", pdf(pages=7))
    assert inspection.page_count == 7 and inspection.word_count == 0
