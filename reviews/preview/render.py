"""A draft as harmless HTML. Functions only: the page around it is `document`, the views are elsewhere."""

from __future__ import annotations

from html import escape
from typing import BinaryIO, assert_never

from reviews.formats import confine, text
from reviews.formats.characters import shown
from reviews.formats.check import plain_text
from reviews.formats.kinds import MediaType
from reviews.formats.report import Reason, Refused
from reviews.preview.model import Preview

NOT_LAID_OUT = "The text could not be laid out in reasonable time, so it is shown as it is written."


def render(media_type: MediaType, file: BinaryIO) -> Preview:
    """For a file that `formats.check` accepted; raises its Refused when the file cannot be read safely.

    A PDF comes as the text of its pages; its pictures come from `preview.pdf`.
    """
    match media_type:
        case MediaType.DOCX:
            return _word(file)
        case MediaType.MARKDOWN:
            return _markup("render_markdown", file)
        case MediaType.HTML:
            return _markup("render_html", file)
        case MediaType.TEXT:
            return Preview(_verbatim(text.decode(file)))
        case MediaType.PDF:
            return Preview(_pages(plain_text(media_type, file)))
        case _:
            assert_never(media_type)


def _word(file: BinaryIO) -> Preview:
    try:
        answer = confine.run("render_docx", file)
    except Refused as refused:
        if refused.code is not Reason.TOO_COMPLEX:
            raise
        answer = confine.run("render_docx_plainly", file)
    return Preview(answer.body.decode(), tuple(answer.facts["notes"]))


def _markup(job: str, file: BinaryIO) -> Preview:
    try:
        return Preview(confine.run(job, file).body.decode())
    except Refused as refused:
        if refused.code is not Reason.TOO_COMPLEX:
            raise
        return Preview(_verbatim(text.decode(file)), (NOT_LAID_OUT,))


def _verbatim(source: str) -> str:
    return f"<pre>{escape(shown(source))}</pre>"


def _pages(source: str) -> str:
    return "\n".join(
        f'<section class="cs-part"><h2 class="cs-part-title">Page {number}</h2>{_verbatim(page)}</section>'
        for number, page in enumerate(source.split("\f"), start=1)
    )
