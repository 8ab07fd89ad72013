"""WCAG 2.2 AA by measure: text 4.5 to 1, edges of controls and marks 3 to 1, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "css"
PAIR = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
SURFACES = ("paper", "sheet", "sunk")
TONES = ("neutral", "info", "good", "warn", "bad")

TEXT = [
    *[(ink, on) for ink in ("ink", "ink-soft", "link") for on in SURFACES],
    *[(f"{tone}-ink", f"{tone}-tint") for tone in TONES],
    *[("ink", tint) for tint in ("info-tint", "added-tint", "removed-tint")],
    *[(ink, on) for ink in ("bad-ink", "good-ink", "danger", "accent") for on in ("paper", "sheet")],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger"),
    ("on-danger", "danger-strong"),
    ("on-seal", "seal"),
    ("sheet", "bad-ink"),
    ("ink-soft", "info-tint"),
]
MARKS = [
    *[(mark, on) for mark in ("edge", "focus", "accent", "danger", "seal") for on in ("paper", "sheet")],
    ("edge", "sunk"),
    ("focus", "sunk"),
]


def palette() -> dict[str, tuple[str, str]]:
    return {name: (day, night) for name, day, night in PAIR.findall((CSS / "tokens.css").read_text())}


def luminance(colour: str) -> float:
    def linear(channel: str) -> float:
        value = int(channel, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[i : i + 2]) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["day", "night"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_is_readable(ink: str, ground: str, scheme: int) -> None:
    colours = palette()
    assert contrast(colours[ink][scheme], colours[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["day", "night"])
@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_the_edge_of_a_control_can_be_seen(mark: str, ground: str, scheme: int) -> None:
    colours = palette()
    assert contrast(colours[mark][scheme], colours[ground][scheme]) >= 3


def test_every_ink_and_tint_is_measured() -> None:
    measured = {name for pair in (*TEXT, *MARKS) for name in pair}
    assert set(palette()) - measured == {"rule"}, (
        "a colour that only decorates, and no other, goes unmeasured"
    )


def test_no_other_file_names_a_colour() -> None:
    named = {
        sheet.name: re.findall(r":[^;{}]*(#[0-9a-fA-F]{3,8}\b|\brgb\(|\bhsl\()", sheet.read_text())
        for sheet in CSS.glob("*.css")
        if sheet.name not in {"tokens.css", "print.css"}
    }
    assert {name: found for name, found in named.items() if found} == {}
