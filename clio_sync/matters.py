"""Reading matters from Clio, so that a person can say where a draft goes and we can check it.

What was read is remembered for a minute by connection and token version, because people type faster than
Clio's limit allows. The check at the door asks Clio about the matter anew.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar

from django.core.cache import cache

from clio_sync import connections, regions, sightings
from clio_sync import folders as folder_names
from clio_sync.api import wire
from clio_sync.api.client import ClioClient
from clio_sync.api.errors import ClioError, NeedsReconnect, NotFound, Refused, RetryLater
from clio_sync.calls import client_for
from clio_sync.destinations import Destination
from clio_sync.errors import BadDestination, ClioUnavailable
from clio_sync.models import Connection
from clio_sync.sightings import Sighting

__all__ = [
    "BadDestination",
    "Category",
    "ClioUnavailable",
    "Document",
    "Folder",
    "Matter",
    "categories",
    "check_destination",
    "documents",
    "folders",
    "matter",
    "namesakes",
    "search",
]

T = TypeVar("T")

REMEMBERED: Final = 60
MOST_MATTERS: Final = 200
"""Clio's largest page. A search that finds more needs another word, not a longer list."""
MOST_FOLDERS: Final = 1000
MOST_DOCUMENTS: Final = 1000
"""Of a matter that are looked through: five calls to Clio, once a minute at most."""
ROOM: Final = {"number": 100, "name": 255, "client": 200}
"""Characters that are kept of what Clio calls things; the rest is cut."""


@dataclass(frozen=True, kw_only=True)
class Matter:
    id: int
    number: str
    description: str
    client_name: str
    practice_area: str
    status: str

    @property
    def is_selectable(self) -> bool:
        """A closed matter is shown, so that nobody looks for it in vain, but takes no drafts."""
        return self.status.lower() != "closed"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """`name` is how a person finds it, with the folders around it: `Correspondence / 2026`."""

    id: int
    name: str
    own_name: str
    parent_id: int | None  # None: it lies in the matter itself


@dataclass(frozen=True, kw_only=True)
class Document:
    """A finished document of a matter. `folder` is empty for one that lies in the matter itself."""

    id: int
    name: str
    folder_id: int | None
    folder: str
    version: int | None
    size: int | None
    changed_at: datetime | None
    is_locked: bool

    @property
    def next_version(self) -> int | None:
        return self.version + 1 if self.version is not None else None


@dataclass(frozen=True, kw_only=True)
class Category:
    id: int
    name: str


def search(connection: Connection, text: str, *, limit: int = 20) -> list[Matter]:
    """Matters for what somebody typed: those that take documents first, then closed ones.

    Clio's index lags some seconds behind. Raises ClioUnavailable, or BadDestination for a broken connection.
    """
    found = _remembered(
        connection, f"search:{text.strip().lower()}", lambda clio: _search(clio, text.strip())
    )
    return sorted(found, key=lambda one: not one.is_selectable)[:limit]


def matter(connection: Connection, matter_id: int) -> Matter:
    """One matter as Clio has it now, which filing may rely on. Raises BadDestination (unknown_matter)."""
    try:
        with _asking(connection, missing=("unknown_matter", _NO_MATTER)) as clio:
            found = _matter(clio.matter(matter_id))
    except BadDestination as bad:
        if bad.code == "unknown_matter":
            sightings.note(connection.pk, matter_id, Sighting.GONE)
        raise
    sightings.note(connection.pk, found.id, Sighting.OPEN if found.is_selectable else Sighting.CLOSED)
    return found


def folders(connection: Connection, matter_id: int) -> list[Folder]:
    """The folders of a matter, by path. The matter itself is the root, and not among them."""
    return _remembered(connection, f"folders:{matter_id}", lambda clio: _folders(clio, matter_id))


def documents(connection: Connection, matter_id: int, text: str = "") -> list[Document]:
    """The documents of a matter whose name or folder holds every word of `text`, newest first."""
    known = _remembered(connection, f"documents:{matter_id}", lambda clio: _documents(clio, matter_id))
    wanted = text.casefold().split()
    found = [one for one in known if all(word in f"{one.folder} {one.name}".casefold() for word in wanted)]
    return sorted(found, key=_newest_first)


def namesakes(connection: Connection, destination: Destination) -> list[Document]:
    """The documents that the place holds under the same name, as Clio had them within the last minute."""
    if destination.document_id is not None or destination.new_folders:
        return []
    return [
        one
        for one in documents(connection, destination.matter_id)
        if one.folder_id == destination.folder_id
        and folder_names.same(one.name) == folder_names.same(destination.file_name)
    ]


def categories(connection: Connection) -> list[Category]:
    return _remembered(connection, "categories", _categories)


def check_destination(
    *,
    connection_id: uuid.UUID | str | None,
    file_name: str,
    matter_id: int | None = None,
    matter_number: str = "",
    folder_id: int | None = None,
    path: Sequence[str] = (),
    category_id: int | None = None,
    document_id: int | None = None,
) -> Destination:
    """The destination with the names that Clio has for it now, or BadDestination.

    A matter is named by its id, or else by its whole number. `path` leads from the folder, or the matter
    itself, through folders that are there to some that are not: those are made when the draft is filed. With
    `document_id` the draft becomes a new version of that document, which has to lie in the matter.
    """
    connection = connections.named(connection_id)
    found = _named_matter(connection, matter_id, matter_number)
    if not found.is_selectable:
        raise BadDestination(
            "closed_matter", f"Matter {found.number} is closed. Reopen it in Clio, or choose another one."
        )
    if document_id is not None and (folder_id is not None or path):
        raise BadDestination(
            "two_places", "A new version goes where its document is. Choose the document, or a folder."
        )
    folder = _folder_of(connection, found, folder_id)
    folder, new_folders = _along(path, folder, folders(connection, found.id) if path else [])
    category = _category_of(connection, category_id)
    document = _document_of(connection, found, document_id) if document_id is not None else None
    if document is not None and document.parent is not None:
        folder = next((one for one in folders(connection, found.id) if one.id == document.parent.id), None)
    return Destination(
        connection_id=str(connection.pk),
        matter_id=found.id,
        matter_number=found.number,
        matter_description=found.description,
        client_name=found.client_name,
        file_name=file_name,
        folder_id=folder.id if folder else None,
        folder_name=folder.name if folder else "",
        new_folders=new_folders,
        category_id=category.id if category else None,
        category_name=category.name if category else "",
        document_id=document.id if document else None,
        document_name=(document.name or "")[: ROOM["name"]] if document else "",
        document_version=document.latest_version.version_number
        if document and document.latest_version
        else None,
    )


def _along(
    path: Sequence[str], folder: Folder | None, known: Sequence[Folder]
) -> tuple[Folder | None, tuple[str, ...]]:
    """How far the path leads through folders that are there, and the names of those that are not."""
    for position, name in enumerate(path):
        here = folder.id if folder else None
        below = folder_names.called(name, (one for one in known if one.parent_id == here))
        if below is None:
            return folder, tuple(path[position:])
        folder = below
    return folder, ()


def _named_matter(connection: Connection, matter_id: int | None, number: str) -> Matter:
    if matter_id is not None:
        return matter(connection, matter_id)
    wanted = number.strip()
    if not wanted:
        raise BadDestination("no_matter", "Choose the matter in which the draft belongs.")
    with _asking(connection) as clio:
        found = [one for one in _search(clio, wanted) if one.number.casefold() == wanted.casefold()]
    if len(found) != 1:
        raise BadDestination("unknown_matter", _NO_MATTER if not found else _MANY_MATTERS)
    return found[0]


def _folder_of(connection: Connection, found: Matter, folder_id: int | None) -> Folder | None:
    if folder_id is None:
        return None
    folder = next((one for one in folders(connection, found.id) if one.id == folder_id), None)
    if folder is None:
        with _asking(connection) as clio:  # made a moment ago, perhaps
            folder = next((one for one in _folders(clio, found.id) if one.id == folder_id), None)
    if folder is None:
        raise BadDestination(
            "unknown_folder", f"Matter {found.number} has no such folder. Choose another one."
        )
    return folder


def _category_of(connection: Connection, category_id: int | None) -> Category | None:
    if category_id is None:
        return None
    category = next((one for one in categories(connection) if one.id == category_id), None)
    if category is None:
        with _asking(connection) as clio:
            category = next((one for one in _categories(clio) if one.id == category_id), None)
    if category is None:
        raise BadDestination("unknown_category", "Clio has no such document category. Choose another one.")
    return category


def _document_of(connection: Connection, found: Matter, document_id: int) -> wire.Document:
    missing = ("unknown_document", "Clio does not have this document, or the connected user may not see it.")
    with _asking(connection, missing=missing) as clio:
        document = clio.document(document_id)
    if document.deleted_at is not None or document.matter is None or document.matter.id != found.id:
        raise BadDestination("unknown_document", f"This document does not lie in matter {found.number}.")
    if document.locked:
        raise BadDestination("locked_document", "This document is locked in Clio and takes no new version.")
    return document


# Asking Clio

_NO_MATTER: Final = "Clio has no such matter, or the connected Clio user may not see it."
_MANY_MATTERS: Final = "Clio has more than one matter of this number. Name it by its id."


def _search(clio: ClioClient, text: str) -> list[Matter]:
    status = ("open", "pending", "closed") if text else ("open", "pending")
    page = clio.matters(query=text, status=status, limit=MOST_MATTERS).first_page()
    return [_matter(one) for one in page.items]


def _folders(clio: ClioClient, matter_id: int) -> list[Folder]:
    """Clio lists the matter's own folder among them, which stands for the matter itself."""
    top = clio.matter(matter_id).folder_id
    known = {one.id: one for one in islice(clio.folders(matter_id=matter_id), MOST_FOLDERS)}
    inner = {key: one for key, one in known.items() if key != top and not one.root}
    listed = [_folder(one, inner) for one in inner.values()]
    return sorted(listed, key=lambda folder: folder.name.casefold())


def _documents(clio: ClioClient, matter_id: int) -> list[Document]:
    root = clio.matter(matter_id).folder_id
    names = {one.id: one.name for one in _folders(clio, matter_id)}
    found = clio.documents(folder_id=root) if root else clio.documents(matter_id=matter_id)
    return [_document(one, names) for one in islice(found, MOST_DOCUMENTS)]


def _document(one: wire.Document, names: dict[int, str]) -> Document:
    version = one.latest_version
    folder_id = one.parent.id if one.parent and one.parent.id in names else None
    return Document(
        id=one.id,
        name=(one.name or one.filename or str(one.id))[: ROOM["name"]],
        folder_id=folder_id,
        folder=names.get(folder_id, "") if folder_id else "",
        version=version.version_number if version else None,
        size=version.size if version else one.size,
        changed_at=one.updated_at,
        is_locked=bool(one.locked),
    )


def _newest_first(one: Document) -> tuple[float, int]:
    return (-one.changed_at.timestamp() if one.changed_at else 0.0, -one.id)


def _folder(one: wire.Folder, inner: dict[int, wire.Folder]) -> Folder:
    above = one.parent.id if one.parent and one.parent.id in inner else None
    return Folder(id=one.id, name=_path(one, inner), own_name=one.name, parent_id=above)


def _path(folder: wire.Folder, inner: dict[int, wire.Folder]) -> str:
    names, seen = [folder.name], {folder.id}
    while folder.parent and (above := inner.get(folder.parent.id)) and above.id not in seen:
        folder = above
        names.append(folder.name)
        seen.add(folder.id)
    return " / ".join(reversed(names))[: ROOM["name"]]


def _categories(clio: ClioClient) -> list[Category]:
    return sorted(
        (Category(id=one.id, name=one.name[: ROOM["name"]]) for one in clio.document_categories()),
        key=lambda category: category.name.casefold(),
    )


def _matter(one: wire.Matter) -> Matter:
    return Matter(
        id=one.id,
        number=(one.display_number or str(one.id))[: ROOM["number"]],
        description=(one.description or "")[: ROOM["name"]],
        client_name=((one.client and one.client.name) or "")[: ROOM["client"]],
        practice_area=(one.practice_area and one.practice_area.name) or "",
        status=one.status or "",
    )


def _remembered(connection: Connection, name: str, ask: Callable[[ClioClient], T]) -> T:
    digest = hashlib.sha256(name.encode()).hexdigest()
    key = f"clio:{connection.pk}:{connection.token_version}:{digest}"
    known: T | None = cache.get(key)
    if known is None:
        with _asking(connection) as clio:
            known = ask(clio)
        cache.set(key, known, REMEMBERED)
    return known


@contextmanager
def _asking(connection: Connection, *, missing: tuple[str, str] | None = None) -> Iterator[ClioClient]:
    """A client whose errors are told in sentences; `missing` is what "not found" means."""
    try:
        with client_for(connection) as clio:
            yield clio
    except NotFound as error:
        raise BadDestination(*(missing or ("not_found", error.sentence))) from error
    except NeedsReconnect as error:
        raise BadDestination("not_connected", error.sentence) from error
    except Refused as error:
        raise BadDestination("clio_refused", error.sentence) from error
    except RetryLater as error:
        raise ClioUnavailable(_LATER, retry_after=error.retry_after) from error
    except ClioError as error:
        raise ClioUnavailable(error.sentence) from error
    except regions.RegionNotReady as error:
        raise BadDestination("not_connected", str(error)) from error


_LATER: Final = "Clio cannot be asked just now. Nothing was changed; try again in a minute."
