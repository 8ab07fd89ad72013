"""What changed between two versions, as words in and words out. (Real redlines of Word files come later.)"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import BinaryIO, Final

from reviews.formats import MediaType, plain_text

WORD = re.compile(r"\s+|\w+|[^\w\s]")
MAX_PARAGRAPHS: Final = 5_000
MOST_PAIRS: Final = 1_000_000
"""Pairs of words that are looked at in one paragraph: comparing takes time by their number, or worse."""
AT_MOST: Final = 20 * MOST_PAIRS
"""Pairs in all paragraphs of one comparison."""


@dataclass(frozen=True)
class Run:
    """A stretch of text: `same`, `added` or `removed`."""

    kind: str
    text: str


@dataclass(frozen=True)
class Paragraph:
    runs: tuple[Run, ...]

    @property
    def is_changed(self) -> bool:
        return any(run.kind != "same" for run in self.runs)


def text_of(media_type: MediaType, file: BinaryIO) -> str:
    return plain_text(media_type, file)


@dataclass(frozen=True)
class Comparison:
    """`is_whole` is false when the texts go on beyond what was compared."""

    paragraphs: tuple[Paragraph, ...]
    is_whole: bool


def compare(before: str, after: str) -> Comparison:
    """Paragraphs of both texts in order. Joining `same` and `added` gives `after` back, word for word.

    What is too long to compare word by word is shown as removed and added whole, so that nobody can keep the
    portal busy for hours with two long lines.
    """
    old, new = _paragraphs(before), _paragraphs(after)
    is_whole = max(len(old), len(new)) <= MAX_PARAGRAPHS
    old, new = old[:MAX_PARAGRAPHS], new[:MAX_PARAGRAPHS]
    result: list[Paragraph] = []
    patience = Patience()
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            result += [Paragraph((Run("same", text),)) for text in new[j1:j2]]
        else:
            result += _changed(old[i1:i2], new[j1:j2], patience)
    return Comparison(tuple(result), is_whole)


class Patience:
    """How many pairs of words may still be looked at."""

    def __init__(self) -> None:
        self.left = AT_MOST

    def lasts(self, pairs: int) -> bool:
        if pairs > min(MOST_PAIRS, self.left):
            return False
        self.left -= pairs
        return True


def _changed(old: list[str], new: list[str], patience: Patience) -> list[Paragraph]:
    paired = min(len(old), len(new))
    result = [_words(old[index], new[index], patience) for index in range(paired)]
    result += [Paragraph((Run("removed", text),)) for text in old[paired:]]
    result += [Paragraph((Run("added", text),)) for text in new[paired:]]
    return result


def _words(old: str, new: str, patience: Patience) -> Paragraph:
    a, b = WORD.findall(old), WORD.findall(new)
    if not patience.lasts(len(a) * len(b)):
        return Paragraph((Run("removed", old), Run("added", new)))
    runs: list[Run] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            runs.append(Run("same", "".join(b[j1:j2])))
            continue
        if i2 > i1:
            runs.append(Run("removed", "".join(a[i1:i2])))
        if j2 > j1:
            runs.append(Run("added", "".join(b[j1:j2])))
    return Paragraph(tuple(runs))


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
