"""PDF pages as pictures and text, by pdfium. Runs in the confined process: pdfium is neither thread-safe nor
crash-proof.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pypdfium2

from reviews.formats.report import NoSuchPage, Reason, Refused

MAX_PIXELS = 6_000_000
MAX_SIDE = 6_000
MAX_TEXT = 20_000_000


def count(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    with _opened(file) as document:
        return {"pages": len(document)}, b""


def png(file: BinaryIO, *, page: int, scale: float) -> tuple[dict[str, Any], bytes]:
    """One page, counted from 1, as PNG. `scale` 1.0 is 72 dots per inch; it shrinks rather than pass the
    pixel cap.
    """
    with _page(file, page) as sheet:
        width, height = sheet.get_size()
        picture = sheet.render(scale=fitting(width, height, scale), may_draw_forms=True).to_pil()
        out = io.BytesIO()
        picture.convert("RGB").save(out, "PNG", optimize=False)
    return {"width": picture.width, "height": picture.height}, out.getvalue()


def fitting(width: float, height: float, scale: float) -> float:
    """The scale nearest to the wanted one at which a page stays inside the pixel caps."""
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise _unreadable("a page without a size")
    most = min(math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    return min(max(scale, 0.05), most * 0.999)  # pdfium rounds up to whole pixels


def text(file: BinaryIO, *, page: int) -> tuple[dict[str, Any], bytes]:
    with _page(file, page) as sheet:
        return {}, _text_of(sheet).encode()


def all_text(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The text of all pages, a form feed between them."""
    pieces, left = [], MAX_TEXT
    with _opened(file) as document:
        for number in range(len(document)):
            sheet = document[number]
            pieces.append(_text_of(sheet)[:left])
            left -= len(pieces[-1])
            sheet.close()
    return {}, "\f".join(pieces).encode()


def _text_of(sheet: Any) -> str:
    words = sheet.get_textpage()
    try:
        found: str = words.get_text_range(errors="replace")
    finally:
        words.close()
    return found.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Any]:
    file.seek(0)
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        raise _unreadable("nothing that can be shown") from error
    try:
        document.init_forms()
        yield document
    except pypdfium2.PdfiumError as error:
        raise _unreadable("a page that cannot be shown") from error
    finally:
        document.close()


@contextmanager
def _page(file: BinaryIO, page: int) -> Iterator[Any]:
    with _opened(file) as document:
        if not 1 <= page <= len(document):
            raise NoSuchPage(f"page {page} of {len(document)}")
        yield document[page - 1]


def _unreadable(what: str) -> Refused:
    return Refused(Reason.DAMAGED, f"The PDF has {what}. Print it to PDF again and send the new file.")
