from __future__ import annotations

import io
import json

import pytest

from reviews.formats import MediaType, check
from reviews.preview.render import NOT_LAID_OUT, render
from tests.reviews.formats.made import EXAMPLES
from tests.reviews.preview.test_sanitize import is_harmless

DRAFTS = [entry["file"] for entry in json.loads((EXAMPLES / "manifest.json").read_text())["drafts"]]


@pytest.mark.parametrize("name", DRAFTS)
def test_every_example_has_a_harmless_preview_without_apology(name: str) -> None:
    data = (EXAMPLES / name).read_bytes()
    kind = check(name.rpartition("/")[2], io.BytesIO(data), len(data)).media_type
    shown = render(kind, io.BytesIO(data))
    assert shown.notes == () and "Also in this file" not in shown.html
    assert is_harmless(shown.html.replace(' class="cs-part"', "").replace(' class="cs-part-title"', ""))


def test_text_is_shown_as_it_stands() -> None:
    shown = render(MediaType.TEXT, io.BytesIO(b"a  <b>\n  c & d\x07"))
    assert shown.html == "<pre>a  &lt;b&gt;\n  c &amp; d⟦U+0007⟧</pre>"


def test_markdown_tables_and_lists_are_laid_out_and_raw_html_is_shown_as_written() -> None:
    html = render(MediaType.MARKDOWN, io.BytesIO(b"# T\n\n| a |\n|---|\n| 1 |\n\n<b>bold</b>")).html
    assert "<h1>T</h1>" in html and "<td>1</td>" in html and "&lt;b&gt;bold&lt;/b&gt;" in html


def test_markdown_that_keeps_the_parser_busy_is_shown_as_it_stands() -> None:
    shown = render(MediaType.MARKDOWN, io.BytesIO(b"![" * 200_000))
    assert shown.notes == (NOT_LAID_OUT,) and shown.html.startswith("<pre>![![")


@pytest.mark.parametrize(
    "source", ["[" * 50_000, "*a " * 50_000, "> " * 2000 + "x", "- " * 3000 + "x", "![" * 30_000]
)
def test_markdown_made_to_be_slow_is_still_shown(source: str) -> None:
    """The confined process gets a few seconds of processor time; what needs more is shown as it stands."""
    assert render(MediaType.MARKDOWN, io.BytesIO(source.encode())).html


def test_the_pages_of_a_pdf_are_there_as_text() -> None:
    with (EXAMPLES / "drafts" / "Summary of estate accounts.pdf").open("rb") as file:
        html = render(MediaType.PDF, file).html
    assert html.count('class="cs-part-title"') == 4 and "2,595,081.75" in html
