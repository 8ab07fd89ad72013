"""Where somebody wants a draft to go: what they said, checked with Clio, as a Destination."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from clio_sync import matters
from clio_sync.destinations import Destination
from clio_sync.errors import BadDestination, ClioUnavailable
from reviews import formats, words
from reviews.errors import BadSubmission, TryLater
from reviews.formats.names import what_is_wrong_with

DEEPEST: Final = 10
LONGEST_NAME: Final = 100


@dataclass(frozen=True, kw_only=True)
class Where:
    """A place as people and programs name it. `folder_path` is `Correspondence / 2026`, below the folder or
    the matter; the folders in it that Clio does not have are made when the draft is filed."""

    matter_id: int | None = None
    matter_number: str = ""
    connection_id: uuid.UUID | None = None  # None: the default connection
    folder_id: int | None = None
    folder_path: str = ""
    category_id: int | None = None
    document_id: int | None = None  # of the document that gets a new version
    file_name: str = ""  # empty: by the firm's rule


def destination(where: Where, *, file_name: str) -> Destination:
    """The place, as Clio knows it now. Raises BadSubmission, or TryLater when Clio cannot be asked."""
    words.check(matter_number=where.matter_number, folder_path=where.folder_path)
    path = names_in(where.folder_path)
    try:
        return matters.check_destination(
            connection_id=where.connection_id,
            matter_id=where.matter_id,
            matter_number=where.matter_number,
            folder_id=where.folder_id,
            path=path,
            category_id=where.category_id,
            document_id=where.document_id,
            file_name=file_name,
        )
    except ClioUnavailable as unavailable:
        raise TryLater(
            unavailable.code, unavailable.sentence, field="matter", retry_after=unavailable.retry_after
        ) from unavailable
    except BadDestination as bad:
        raise BadSubmission(bad.code, bad.sentence, field="matter") from bad


def file_name(name: str, *, like: str) -> str:
    """A name that somebody chose for the file. Raises BadSubmission for one that may not come in, or whose
    ending says that it is something else than `like` is."""
    name = formats.composed(name.strip())
    try:
        formats.check_name(name)
        same_kind = formats.by_extension(name) == formats.by_extension(like)
    except formats.Refused as refused:
        raise BadSubmission(refused.code, refused.sentence, field="file_name") from refused
    if not same_kind:
        raise BadSubmission("file_name", "Its ending has to be that of the file.", field="file_name")
    return name


def names_in(path: str) -> tuple[str, ...]:
    """The folders of `Correspondence / 2026 / Smith`, from the outside in. Raises BadSubmission for a name
    that could mislead a reader or a computer: none is cleaned."""
    if not path.strip():
        return ()
    names = tuple(part.strip(" ") for part in formats.composed(path).split("/"))
    if len(names) > DEEPEST:
        raise _bad(f"This leads through {len(names)} folders; at most {DEEPEST} are possible.")
    for name in names:
        _check(name)
    return names


def _check(name: str) -> None:
    if not name.strip(" ."):
        said = f"“{name}” is no name for a folder" if name else "A folder without a name stands in this path"
        raise _bad(f"{said}. Write it as Correspondence / 2026 / Smith.")
    for character in name:
        if what := what_is_wrong_with(character):
            raise _bad(f"The name of a folder contains {what}. Type it anew.")
    if len(name) > LONGEST_NAME:
        raise _bad(
            f"The name of a folder is {len(name)} characters long; at most {LONGEST_NAME} are possible."
        )
    if name.endswith("."):
        raise _bad(f"The folder “{name}” ends with a full stop, which Windows drops.")


def _bad(sentence: str) -> BadSubmission:
    return BadSubmission("folder_path", sentence, field="folder_path")
