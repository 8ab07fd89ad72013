"""The words of a Word file, paragraph by paragraph, with nothing left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from reviews.formats import ooxml, xml
from reviews.formats.ooxml import Shape, short
from reviews.formats.zips import Package

_TEXT = frozenset({"w:t", "a:t", "m:t"})
_NOTES = ("footnotes", "endnotes")


@dataclass
class _Reader:
    """Collects paragraphs. With `everything`, also deleted text and what only old programs show."""

    everything: bool
    paragraphs: list[str] = field(default_factory=list)
    _open: list[list[str]] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _old: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = short(tag)
        self._path.append(name)
        if name in {"w:p", "a:p"}:
            self._open.append([])
        elif name == "mc:Fallback":
            self._old += 1
        elif name in {"w:tab", "w:br", "w:cr", "a:br"} and self._open and "w:tabs" not in self._path[-3:]:
            self._open[-1].append("\t" if name == "w:tab" else "\n")

    def end(self, tag: str) -> None:
        name = short(tag)
        self._path.pop()
        if name in {"w:p", "a:p"}:
            self.paragraphs.append("".join(self._open.pop()))
        elif name == "mc:Fallback":
            self._old -= 1

    def data(self, text: str) -> None:
        name = self._path[-1]
        wanted = name in _TEXT or (self.everything and name == "w:delText")
        if wanted and (self.everything or not self._old):
            if self._open:
                self._open[-1].append(text)
            else:
                self.paragraphs.append(text)


def paragraphs(package: Package, part: str, *, everything: bool = False) -> list[str]:
    reader = _Reader(everything)
    xml.parse(package.chunks(part), reader, part=part)
    return reader.paragraphs


def text_of(file: BinaryIO) -> str:
    """What a reader of the printed pages reads: body, then notes; deletions left out, insertions left in."""
    package = Package(file)
    shape = ooxml.read_shape(package)
    return (
        "\n".join(
            line for part in _reading_order(package, shape) for line in paragraphs(package, part)
        ).strip()
        + "\n"
    )


def _reading_order(package: Package, shape: Shape) -> Iterator[str]:
    yield shape.main
    for kind in _NOTES:
        yield from (part for part in shape.targets(kind) if part in package)
