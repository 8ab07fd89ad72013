"""What changed between two versions, as words in and words out. (Real redlines of Word files come later.)"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import BinaryIO

from reviews.formats import MediaType, plain_text

WORD = re.compile(r"\s+|\w+|[^\w\s]")
MAX_PARAGRAPHS = 5_000


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


def compare(before: str, after: str) -> list[Paragraph]:
    """Paragraphs of both texts in order. Joining `same` and `added` gives `after` back, word for word."""
    old, new = _paragraphs(before), _paragraphs(after)
    result: list[Paragraph] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            result += [Paragraph((Run("same", text),)) for text in new[j1:j2]]
        else:
            result += _changed(old[i1:i2], new[j1:j2])
    return result


def _changed(old: list[str], new: list[str]) -> list[Paragraph]:
    paired = min(len(old), len(new))
    result = [_words(old[index], new[index]) for index in range(paired)]
    result += [Paragraph((Run("removed", text),)) for text in old[paired:]]
    result += [Paragraph((Run("added", text),)) for text in new[paired:]]
    return result


def _words(old: str, new: str) -> Paragraph:
    a, b = WORD.findall(old), WORD.findall(new)
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
    return [line.strip() for line in text.splitlines() if line.strip()][:MAX_PARAGRAPHS]
