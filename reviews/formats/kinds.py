"""The five kinds of file the portal reviews. Django-free: the confined process imports this too."""

from __future__ import annotations

from enum import StrEnum


class MediaType(StrEnum):
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PDF = "application/pdf"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"
    HTML = "text/html"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """For a model field or a form."""
        return [(kind.value, kind.label) for kind in cls]


_LABELS = {
    MediaType.DOCX: "Word document",
    MediaType.PDF: "PDF",
    MediaType.MARKDOWN: "Markdown",
    MediaType.TEXT: "Plain text",
    MediaType.HTML: "HTML page",
}

BY_EXTENSION = {
    "docx": MediaType.DOCX,
    "pdf": MediaType.PDF,
    "md": MediaType.MARKDOWN,
    "markdown": MediaType.MARKDOWN,
    "txt": MediaType.TEXT,
    "html": MediaType.HTML,
    "htm": MediaType.HTML,
}
