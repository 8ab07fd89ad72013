"""Paragraph numbers as Word prints them. "Clause 4.2(b)" must read 4.2(b) in the preview too."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from lxml import etree

from reviews.preview.wordml import Element, is_on, new_run, w

_LEVELS = 9
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip  # noqa: E501


@dataclass(frozen=True)
class Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    legal: bool = False


@dataclass
class Numbering:
    """The definitions of a document, and how far each list has been counted."""

    lists: dict[str, dict[int, Level]] = field(default_factory=dict)  # by numId
    kin: dict[str, str] = field(
        default_factory=dict
    )  # numId -> abstractNumId; lists of one kind count together
    by_style: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)
    based_on: dict[str, str] = field(default_factory=dict)
    restarts: set[str] = field(default_factory=set)
    counted: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def label(self, number: str, depth: int) -> str | None:
        """Count one paragraph and say what is printed before it; None for bullets and unknown lists."""
        levels = self.lists.get(number)
        if levels is None or depth not in levels:
            return None
        if number in self.restarts:
            self.restarts.discard(number)
            self.counted[self.kin[number]].clear()
        counts = self.counted[self.kin[number]]
        for higher in range(depth):
            counts.setdefault(higher, levels.get(higher, Level()).start)
        counts[depth] = counts[depth] + 1 if depth in counts else levels[depth].start
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        return self._print(levels, depth, counts)

    def of_paragraph(self, paragraph: Element) -> tuple[str, int] | None:
        """The list and level of a paragraph, by itself or through its style."""
        own = _number_of(paragraph.find(f"{w('pPr')}/{w('numPr')}"))
        named = paragraph.find(f"{w('pPr')}/{w('pStyle')}")
        styled = self._of_style(named.get(w("val"), "")) if named is not None else (None, None)
        number = own[0] if own[0] is not None else styled[0]
        depth = next((d for d in (own[1], styled[1]) if d is not None), 0)
        return None if number in {None, "0"} else (str(number), depth)

    def _of_style(self, name: str) -> tuple[str | None, int | None]:
        number: str | None = None
        depth: int | None = None
        for _ in range(20):
            found = self.by_style.get(name, (None, None))
            number = number if number is not None else found[0]
            depth = depth if depth is not None else found[1]
            name = self.based_on.get(name, "")
        return number, depth

    def _print(self, levels: dict[int, Level], depth: int, counts: dict[int, int]) -> str | None:
        level = levels[depth]
        if level.format == "bullet":
            return None
        label = level.text
        for higher in range(depth + 1):
            shape = "decimal" if level.legal else levels.get(higher, Level()).format
            label = label.replace(f"%{higher + 1}", _digits(counts.get(higher, 1), shape))
        return label


def read(numbering: Element | None, styles: Element | None) -> Numbering:
    found = Numbering()
    if numbering is not None:
        _read_lists(numbering, found)
    for style in styles.iter(w("style")) if styles is not None else ():
        name = style.get(w("styleId"), "")
        found.by_style[name] = _number_of(style.find(f"{w('pPr')}/{w('numPr')}"))
        base = style.find(w("basedOn"))
        if base is not None:
            found.based_on[name] = base.get(w("val"), "")
    return found


def spell_out(root: Element, numbering: Numbering, *, headings: frozenset[str]) -> None:
    """Write each number into its paragraph and take it out of its list, so that nobody renumbers it."""
    for paragraph in root.iter(w("p")):
        place = numbering.of_paragraph(paragraph)
        label = numbering.label(*place) if place else None
        if place and label is not None:
            _write(paragraph, label, depth=place[1], headings=headings)


def _write(paragraph: Element, label: str, *, depth: int, headings: frozenset[str]) -> None:
    properties = paragraph.find(w("pPr"))
    if properties is None:
        properties = etree.Element(w("pPr"))
        paragraph.insert(0, properties)
    for old in properties.findall(w("numPr")):
        properties.remove(old)
    none = etree.SubElement(properties, w("numPr"))
    etree.SubElement(none, w("ilvl")).set(w("val"), "0")
    etree.SubElement(none, w("numId")).set(w("val"), "0")
    named = properties.find(w("pStyle"))
    if named is None or named.get(w("val")) not in headings:
        if named is None:
            named = etree.SubElement(properties, w("pStyle"))
        named.set(w("val"), f"CsLevel{min(depth, _LEVELS - 1) + 1}")
    if label.strip():
        paragraph.insert(1, new_run(label + "\N{NO-BREAK SPACE}", "CsNumber"))


def _read_lists(numbering: Element, found: Numbering) -> None:
    kinds: dict[str, dict[int, Level]] = {}
    for kind in numbering.iter(w("abstractNum")):
        levels = (_read_level(level) for level in kind.findall(w("lvl")))
        kinds[kind.get(w("abstractNumId"), "")] = dict(levels)
    for number in numbering.findall(w("num")):
        name = number.get(w("numId"), "")
        link = number.find(w("abstractNumId"))
        kin = link.get(w("val"), "") if link is not None else ""
        found.lists[name] = dict(kinds.get(kin, {}))
        found.kin[name] = kin
        for override in number.findall(w("lvlOverride")):
            _override(override, name, found)


def _override(override: Element, name: str, found: Numbering) -> None:
    depth = _whole(override.get(w("ilvl")), 0)
    level = override.find(w("lvl"))
    if level is not None:
        found.lists[name][depth] = _read_level(level)[1]
    start = override.find(w("startOverride"))
    if start is not None and depth in found.lists[name]:
        found.restarts.add(name)
        before = found.lists[name][depth]
        found.lists[name][depth] = replace(before, start=_whole(start.get(w("val")), 1))


def _read_level(level: Element) -> tuple[int, Level]:
    def value(name: str, default: str) -> str:
        child = level.find(w(name))
        return child.get(w("val"), default) if child is not None else default

    read_as = Level(
        start=_whole(value("start", "1"), 1),
        format=value("numFmt", "decimal"),
        text=value("lvlText", ""),
        legal=is_on(level.find(w("isLgl"))),
    )
    return _whole(level.get(w("ilvl")), 0), read_as


def _number_of(properties: Element | None) -> tuple[str | None, int | None]:
    if properties is None:
        return None, None
    number, depth = properties.find(w("numId")), properties.find(w("ilvl"))
    return (
        number.get(w("val")) if number is not None else None,
        _whole(depth.get(w("val")), 0) if depth is not None else None,
    )


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else default


def _digits(number: int, shape: str) -> str:
    match shape:
        case "lowerLetter" | "upperLetter":
            letters = (
                chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 20) if number > 0 else ""
            )
            return letters.upper() if shape == "upperLetter" else letters
        case "lowerRoman" | "upperRoman":
            return _roman(number).upper() if shape == "upperRoman" else _roman(number)
        case "decimalZero":
            return f"{number:02d}"
        case "ordinal":
            return f"{number}{_ordinal_ending(number)}"
        case "none" | "bullet":
            return ""
        case _:
            return str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    printed = ""
    for value, sign in _ROMAN:
        printed += sign * (number // value)
        number %= value
    return printed


def _ordinal_ending(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
