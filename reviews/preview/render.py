"""A draft as harmless HTML. Functions only: the page around it is `document`, the views are elsewhere."""

from __future__ import annotations

from html import escape
from typing import BinaryIO, assert_never

from markdown_it import MarkdownIt

from reviews.formats import confine, text
from reviews.formats.characters import shown
from reviews.formats.kinds import MediaType
from reviews.preview import pdf
from reviews.preview.model import Preview
from reviews.preview.sanitize import sanitize

MAX_MARKDOWN = 1024 * 1024
_LONG = "The text is too long to be laid out, so it is shown as it is written."


def render(media_type: MediaType, file: BinaryIO) -> Preview:
    """For a file that `formats.check` accepted; raises its Refused when the file cannot be read safely.

    A PDF comes as the text of its pages; its pictures come from `preview.pdf`.
    """
    match media_type:
        case MediaType.DOCX:
            answer = confine.run("render_docx", file)
            return Preview(answer.body.decode(), tuple(answer.facts["notes"]))
        case MediaType.MARKDOWN:
            return _markdown(text.decode(file))
        case MediaType.HTML:
            return Preview(sanitize(text.decode(file)))
        case MediaType.TEXT:
            return Preview(_verbatim(text.decode(file)))
        case MediaType.PDF:
            return Preview(_pages(pdf.document_text(file)))
        case _:
            assert_never(media_type)


def _markdown(source: str) -> Preview:
    if len(source) > MAX_MARKDOWN:
        return Preview(_verbatim(source), (_LONG,))
    html: str = MarkdownIt("js-default", {"html": False}).render(source)
    return Preview(sanitize(html))


def _verbatim(source: str) -> str:
    return f"<pre>{escape(shown(source))}</pre>"


def _pages(source: str) -> str:
    return "\n".join(
        f'<section class="cs-part"><h2 class="cs-part-title">Page {number}</h2>{_verbatim(page)}</section>'
        for number, page in enumerate(source.split("\f"), start=1)
    )
