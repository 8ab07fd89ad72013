"""Markdown and HTML as harmless HTML. Runs confined: a hostile text can keep a parser busy for hours."""

from __future__ import annotations

from typing import Any, BinaryIO

from markdown_it import MarkdownIt

from reviews.formats import text
from reviews.preview.sanitize import sanitize


def markdown(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    written: str = MarkdownIt("js-default", {"html": False}).render(text.decode(file))
    return {}, sanitize(written).encode()


def html(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    return {}, sanitize(text.decode(file)).encode()
