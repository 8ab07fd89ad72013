"""The words of a draft as plain text: for counting, for search, for comparing versions."""

from __future__ import annotations

from typing import BinaryIO, assert_never

from reviews.formats import docx_text, html, text
from reviews.formats.kinds import MediaType
from reviews.preview import pdf


def plain_text(media_type: MediaType, file: BinaryIO) -> str:
    """For a file that `check` accepted; raises Refused for any other. Lines end in \\n."""
    match media_type:
        case MediaType.DOCX:
            return docx_text.text_of(file)
        case MediaType.PDF:
            return pdf.document_text(file)
        case MediaType.HTML:
            return html.read(text.decode(file)).words() + "\n"
        case MediaType.MARKDOWN | MediaType.TEXT:
            return text.decode(file).replace("\r\n", "\n").replace("\r", "\n")
        case _:
            assert_never(media_type)
