# ruff: noqa: E501 - one piece of XML a line reads better than three
from __future__ import annotations

import pytest
from lxml import etree

from reviews.preview import numbers
from reviews.preview.wordml import W, w

NS = f'xmlns:w="{W}"'


def numbering(*levels: tuple[str, str, int], extra: str = "") -> etree._Element:
    inner = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{start}"/><w:numFmt w:val="{shape}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for depth, (shape, text, start) in enumerate(levels)
    )
    return etree.fromstring(
        f'<w:numbering {NS}><w:abstractNum w:abstractNumId="1">{inner}</w:abstractNum>'
        f'<w:num w:numId="5"><w:abstractNumId w:val="1"/></w:num>{extra}</w:numbering>'
    )


LEGAL = numbering(
    ("decimal", "%1.", 1), ("decimal", "%1.%2", 1), ("lowerLetter", "(%3)", 1), ("lowerRoman", "(%4)", 1)
)


def test_clauses_count_as_word_counts_them() -> None:
    lists = numbers.read(LEGAL, None)
    depths = [0, 1, 2, 2, 3, 1, 0, 2, 1]
    labels = [lists.label("5", depth) for depth in depths]
    assert labels == ["1.", "1.1", "(a)", "(b)", "(i)", "1.2", "2.", "(a)", "2.2"]


@pytest.mark.parametrize(
    ("shape", "printed"),
    [
        ("decimal", ["1", "2", "27"]),
        ("lowerLetter", ["a", "b", "aa"]),
        ("upperLetter", ["A", "B", "AA"]),
        ("lowerRoman", ["i", "ii", "xxvii"]),
        ("upperRoman", ["I", "II", "XXVII"]),
        ("decimalZero", ["01", "02", "27"]),
        ("ordinal", ["1st", "2nd", "27th"]),
        ("none", ["", "", ""]),
        ("chicago", ["1", "2", "27"]),
    ],
)
def test_every_shape_of_number_is_printed(shape: str, printed: list[str]) -> None:
    lists = numbers.read(numbering((shape, "%1", 1)), None)
    labels = [lists.label("5", 0) for _ in range(27)]
    assert [labels[0], labels[1], labels[26]] == printed


def test_bullets_and_unknown_lists_have_no_number() -> None:
    lists = numbers.read(numbering(("bullet", "•", 1)), None)
    assert lists.label("5", 0) is None and lists.label("9", 0) is None and lists.label("5", 3) is None


def test_a_list_may_start_anywhere_and_start_again() -> None:
    again = (
        '<w:num w:numId="6"><w:abstractNumId w:val="1"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="3"/></w:lvlOverride></w:num>'
    )
    lists = numbers.read(numbering(("decimal", "%1.", 7), extra=again), None)
    assert [lists.label(number, 0) for number in ("5", "5", "6", "6")] == ["7.", "8.", "3.", "4."]


def test_a_style_can_carry_the_number_and_zero_takes_it_away() -> None:
    styles = etree.fromstring(
        f'<w:styles {NS}><w:style w:styleId="Clause"><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="5"/></w:numPr></w:pPr>'
        '</w:style><w:style w:styleId="Sub"><w:basedOn w:val="Clause"/></w:style></w:styles>'
    )
    lists = numbers.read(LEGAL, styles)
    by_style = etree.fromstring(f'<w:p {NS}><w:pPr><w:pStyle w:val="Sub"/></w:pPr></w:p>')
    without = etree.fromstring(
        f'<w:p {NS}><w:pPr><w:pStyle w:val="Sub"/><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr></w:p>'
    )
    assert lists.of_paragraph(by_style) == ("5", 1) and lists.of_paragraph(without) is None


def test_the_number_is_written_into_the_paragraph_and_the_list_is_left() -> None:
    root = etree.fromstring(
        f'<w:body {NS}><w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="5"/></w:numPr></w:pPr>'
        "<w:r><w:t>Fees</w:t></w:r></w:p></w:body>"
    )
    numbers.spell_out(root, numbers.read(LEGAL, None), headings=frozenset())
    assert "".join(piece.text or "" for piece in root.iter(w("t"))) == "1.\u00a0Fees"
    assert [number.get(w("val")) for number in root.iter(w("numId"))] == ["0"]


def test_styles_that_are_based_on_each_other_in_a_circle_end() -> None:
    styles = etree.fromstring(
        f'<w:styles {NS}><w:style w:styleId="A"><w:basedOn w:val="B"/></w:style>'
        '<w:style w:styleId="B"><w:basedOn w:val="A"/></w:style></w:styles>'
    )
    paragraph = etree.fromstring(f'<w:p {NS}><w:pPr><w:pStyle w:val="A"/></w:pPr></w:p>')
    assert numbers.read(None, styles).of_paragraph(paragraph) is None
