"""What a check says: an inspection with its findings, or a refusal with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reviews.formats.kinds import MediaType


class Reason(StrEnum):
    """Why a file was refused. Safe for the audit log: says nothing of the content."""

    EMPTY = "empty"
    NAME = "name"
    EXTENSION = "extension"
    MISMATCH = "mismatch"
    POLYGLOT = "polyglot"
    TOO_LONG = "too_long"
    TOO_COMPLEX = "too_complex"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    ARCHIVE = "archive"
    BOMB = "bomb"
    ENTRY_NAME = "entry_name"
    DUPLICATE = "duplicate"
    OVERLAP = "overlap"
    DTD = "dtd"
    MACRO = "macro"
    TEMPLATE = "template"
    EXTERNAL = "external"
    ACTIVE = "active"
    EMBEDDED_PROGRAM = "embedded_program"
    EMBEDDED_DOCUMENT = "embedded_document"
    DYNAMIC_FORM = "dynamic_form"
    NOT_UTF8 = "not_utf8"


class Refused(Exception):
    """The file may not come in. `sentence` tells a person what is wrong, where, and what to do."""

    def __init__(self, code: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class NoSuchPage(LookupError):
    """The document has no page of this number."""


class FindingCode(StrEnum):
    """What else a file holds. Safe for the audit log, with its count."""

    COMMENTS = "comments"
    TRACKED_CHANGES = "tracked_changes"
    FORMAT_CHANGES = "format_changes"
    HIDDEN_TEXT = "hidden_text"
    FAINT_TEXT = "faint_text"
    INVISIBLE_CHARACTERS = "invisible_characters"
    ALTERNATE_TEXT = "alternate_text"
    METADATA = "metadata"
    CUSTOM_DATA = "custom_data"
    THUMBNAIL = "thumbnail"
    LINKS = "links"
    OUTSIDE_FIELDS = "outside_fields"
    EMBEDDED_FILES = "embedded_files"
    UNREFERENCED_PARTS = "unreferenced_parts"
    SIGNATURES = "signatures"
    FORM_FIELDS = "form_fields"
    ACTIONS = "actions"
    MULTIMEDIA = "multimedia"
    LAYERS = "layers"
    EARLIER_SAVES = "earlier_saves"
    TRAILING_DATA = "trailing_data"
    STYLING = "styling"
    RAW_HTML = "raw_html"
    CONFUSABLE_NAME = "confusable_name"


@dataclass(frozen=True)
class Finding:
    """One thing a reader of the page alone would not see. `sentence` may quote the file, so it stays out of
    the log.
    """

    code: FindingCode
    count: int
    sentence: str


@dataclass(frozen=True)
class Inspection:
    media_type: MediaType
    findings: tuple[Finding, ...]
    page_count: int | None = None
    word_count: int | None = None


def counted(count: int, one: str, many: str | None = None) -> str:
    """`counted(1, "comment")` is "1 comment", `counted(2, "comment")` is "2 comments"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def quoted(text: str, limit: int = 80) -> str:
    """A piece of hostile text made fit for a sentence: one line, printable, short."""
    line = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text[:1000].split())
    )
    return f"“{line[: limit - 1]}…”" if len(line) > limit else f"“{line}”"
