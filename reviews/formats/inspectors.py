"""One inspector for each kind of file. They run in the confined process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from reviews.formats import docx, docx_text, html, text
from reviews.formats.kinds import MediaType
from reviews.formats.report import Finding, FindingCode, Inspection


def inspect(file: BinaryIO, *, kind: str) -> tuple[dict[str, Any], bytes]:
    found = _inspector(MediaType(kind))(file)
    findings = [(finding.code, finding.count, finding.sentence) for finding in found.findings]
    return {"findings": findings, "pages": found.page_count, "words": found.word_count}, b""


def unpack(kind: MediaType, facts: dict[str, Any]) -> Inspection:
    """The parent's side: what the child told, as an Inspection again."""
    findings = tuple(
        Finding(FindingCode(code), count, sentence) for code, count, sentence in facts["findings"]
    )
    return Inspection(kind, findings, page_count=facts["pages"], word_count=facts["words"])


def words(file: BinaryIO, *, kind: str) -> tuple[dict[str, Any], bytes]:
    return {}, _WORDS[MediaType(kind)](file).encode()


def _inspector(kind: MediaType) -> Callable[[BinaryIO], Inspection]:
    from reviews.formats import pdf  # noqa: PLC0415 - qpdf is loaded where it is needed, and only in the child

    return {
        MediaType.DOCX: docx.inspect,
        MediaType.PDF: pdf.inspect,
        MediaType.HTML: html.inspect,
        MediaType.MARKDOWN: lambda file: text.inspect(file, MediaType.MARKDOWN),
        MediaType.TEXT: lambda file: text.inspect(file, MediaType.TEXT),
    }[kind]


def _lines(file: BinaryIO) -> str:
    return text.decode(file).replace("\r\n", "\n").replace("\r", "\n")


def _pages(file: BinaryIO) -> str:
    from reviews.preview import pages  # noqa: PLC0415 - likewise pdfium

    return pages.all_text(file)[1].decode()


_WORDS: dict[MediaType, Callable[[BinaryIO], str]] = {
    MediaType.DOCX: docx_text.text_of,
    MediaType.PDF: _pages,
    MediaType.HTML: lambda file: html.read(text.decode(file)).words() + "\n",
    MediaType.MARKDOWN: _lines,
    MediaType.TEXT: _lines,
}
