"""Characters that a reader cannot see, or that change what the reader sees."""

from __future__ import annotations

import re
from collections import Counter

from reviews.formats.report import Finding, FindingCode, counted

# Direction overrides and isolates, zero-width space, word joiner and invisible operators, a byte order mark
# in mid-text, interlinear marks, tag characters. Joiners (U+200C, U+200D), plain direction marks and soft
# hyphens belong to honest text in many scripts, so they are left alone.
_INVISIBLE = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\u115f\u1160\u3164\uffa0\U000e0000-\U000e0fff]"
    ""
)
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")


def invisible_in(text: str) -> list[str]:
    return [] if text.isascii() else _INVISIBLE.findall(text)


def controls_in(text: str) -> list[str]:
    return _CONTROL.findall(text)


def shown(text: str) -> str:
    """The text with each unseen character spelled out. The marks are plain text, so this is safe on finished
    HTML.
    """
    return _CONTROL.sub(_spell, _INVISIBLE.sub(_spell, text))


def _spell(match: re.Match[str]) -> str:
    return f"⟦U+{ord(match[0]):04X}⟧"


def invisible_sentence(found: Counter[str]) -> Finding:
    total = found.total()
    codes = ", ".join(f"U+{ord(character):04X}" for character, _ in found.most_common(4))
    unseen = counted(total, "invisible or direction-changing character")
    sentence = f"{unseen} in the text ({codes}), spelled out in the preview."
    return Finding(FindingCode.INVISIBLE_CHARACTERS, total, sentence)
