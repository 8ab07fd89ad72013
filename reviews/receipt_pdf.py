"""The receipt as a PDF to keep or hand on. The same receipt gives the same bytes."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from reviews.receipt import Section

FONTS: Final = Path(__file__).parent / "fonts"
TEXT, BOLD, EXACT = "DejaVuSans", "DejaVuSans-Bold", "Courier"
INK, SOFT, LINE = HexColor("#1c2430"), HexColor("#5a6472"), HexColor("#d5dae1")
MARGIN: Final = 56
PADDING: Final = 6  # of reportlab's frame, on each side
LABELS: Final = 130
VALUES: Final = A4[0] - 2 * (MARGIN + PADDING) - LABELS
RIGHT_TO_LEFT: Final = {"R", "AL"}
NOTE: Final = (
    "Characters that this file cannot show stand as their Unicode numbers in brackets. "
    "The page of the receipt shows them."
)


def receipt_pdf(*, lede: str, sections: Sequence[Section], address: str) -> bytes:
    """One or more pages of A4. Whatever a person wrote is text in it, never markup."""
    _register()
    shown = _Shown()
    story: list[Flowable] = [Paragraph("Receipt", _style(20, font=BOLD, after=8))]
    story.append(Paragraph(shown.text(lede), _style(10, after=6)))
    for section in sections:
        story.append(Paragraph(escape(section.title), _style(12, font=BOLD, before=14, after=4)))
        story.append(_table(section, shown))
    story.append(Paragraph(shown.text(f"This receipt stands at {address}"), _style(8, before=16, soft=True)))
    if shown.is_partial:
        story.append(Paragraph(escape(NOTE), _style(8, before=4, soft=True)))
    return _built(story)


class _Shown:
    """Text as the fonts can show it, and whether something had to be spelled out."""

    def __init__(self) -> None:
        self.is_partial = False

    def text(self, value: str) -> str:
        return escape("".join(self._character(letter) for letter in value))

    def _character(self, letter: str) -> str:
        if letter in "\n\r\t":
            return " "
        if ord(letter) in _glyphs() and unicodedata.bidirectional(letter) not in RIGHT_TO_LEFT:
            return letter
        self.is_partial = True
        return f"[U+{ord(letter):04X}]"


def _built(story: list[Flowable]) -> bytes:
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title="Receipt",
        author="Countersign",
        invariant=1,
    )
    document.build(story, onFirstPage=_number, onLaterPages=_number)
    return file.getvalue()


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont(TEXT, 8)
    canvas.setFillColor(SOFT)
    canvas.drawRightString(A4[0] - MARGIN - PADDING, MARGIN / 2, f"Countersign, page {document.page}")


def _table(section: Section, shown: _Shown) -> Table:
    rows = [
        [
            Paragraph(shown.text(fact.label), _style(9, soft=True)),
            Paragraph(shown.text(fact.value), _style(8 if fact.is_exact else 9, exact=fact.is_exact)),
        ]
        for fact in section.facts
    ]
    table = Table(rows, colWidths=[LABELS, VALUES])
    lines = [("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    table.setStyle(TableStyle([*lines, ("LEFTPADDING", (0, 0), (0, -1), 0)]))
    return table


def _style(
    size: float,
    *,
    font: str = TEXT,
    before: float = 0,
    after: float = 0,
    soft: bool = False,
    exact: bool = False,
) -> ParagraphStyle:
    return ParagraphStyle(
        "",
        fontName=EXACT if exact else font,
        fontSize=size,
        leading=size * 1.4,
        spaceBefore=before,
        spaceAfter=after,
        textColor=SOFT if soft else INK,
        splitLongWords=True,
    )


@cache
def _register() -> None:
    for name in (TEXT, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(TTFont(TEXT, str(FONTS / f"{TEXT}.ttf")).face.charToGlyph)
