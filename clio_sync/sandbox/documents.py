"""Documents: reserve, show, list, confirm, rename, move, download, trash."""

from __future__ import annotations

from typing import Any

from clio_sync.sandbox import filing, paging, search, storage, versions
from clio_sync.sandbox.call import Call, read_integer, read_moment
from clio_sync.sandbox.errors import Refusal, invalid_argument
from clio_sync.sandbox.fields import Record
from clio_sync.sandbox.paging import Listing
from clio_sync.sandbox.records import base
from clio_sync.sandbox.server import Response
from clio_sync.sandbox.state import Row, State
from clio_sync.sandbox.versions import VersionRecords

_DOWNLOAD_SECONDS = 300
_FINISHED = "EXISTS (SELECT 1 FROM version WHERE document_id = document.id AND fully_uploaded = 1)"


class DocumentRecords(VersionRecords):
    """Renders documents; ``version_id`` is the version a POST or PATCH was about."""

    version_id: int | None = None
    renews_urls: bool = True

    def document(self, row: Row) -> Record:
        content = latest(self.state, row["id"], finished_only=True) or latest(self.state, row["id"])
        return {
            **base("Document", "document", row),
            "type": "Document",
            "locked": bool(row["locked"]),
            "filename": content["filename"] if content else row["name"],
            "content_type": content["content_type"] if content else None,
            "size": versions.size(self.state, content) if content else None,
            "parent": self._link("folder", row["parent_id"], self.folder),
            "latest_document_version": lambda: self._latest_version(row),
            **self._filing_links("document", row),
        }

    def _latest_version(self, row: Row) -> Record | None:
        if self.version_id is not None:
            version = self.state.one("SELECT * FROM version WHERE id = ?", self.version_id)
        else:
            version = self._version_on_show(row)
        return self.version(version) if version else None

    def _version_on_show(self, row: Row) -> Row | None:
        newest = latest(self.state, row["id"])
        if newest and newest["fully_uploaded"]:
            return newest
        if self.state.flag("latest_version_shows_unfinished"):
            return newest
        return latest(self.state, row["id"], finished_only=True) or newest

    def _put_url(self, row: Row) -> str | None:
        return super()._put_url(row) if self.renews_urls else None

    def _part_url(self, row: Row, part: Row, headers: tuple[tuple[str, str], ...]) -> str | None:
        return super()._part_url(row, part, headers) if self.renews_urls else None


def latest(state: State, document_id: int, *, finished_only: bool = False) -> Row | None:
    condition = "AND fully_uploaded = 1" if finished_only else ""
    return state.one(
        f"SELECT * FROM version WHERE document_id = ? {condition} ORDER BY number DESC LIMIT 1",  # noqa: S608
        document_id,
    )


def _render(call: Call, *, version_id: int | None = None, parts: list[int] | None = None) -> DocumentRecords:
    made = DocumentRecords(call.state, call.user_id)
    made.version_id, made.parts = version_id, parts
    made.renews_urls = call.request.method != "GET" or call.state.flag("put_url_renewed_on_show")
    return made


def _document(call: Call, document_id: int, *, trashed_too: bool = False) -> Row:
    condition = "" if trashed_too else "AND deleted_at IS NULL"
    row = call.state.one(
        f"SELECT * FROM document WHERE id = ? AND ({filing.NOT_HIDDEN}) {condition}",  # noqa: S608
        document_id,
        call.user_id,
    )
    return call.found(row, "Document")


# Reading.

_ORDERS = {
    "name": "name",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "received_at": "received_at",
    "document_number": "id",
}


def index(call: Call) -> Response:
    listing = Listing("Document", "document", _render(call).document, orders=_ORDERS)
    filing.keep(call, listing, kind="document")
    by_property = call.text("external_property_name") and not call.state.flag("unfinished_found_by_property")
    hidden = call.state.flag("unfinished_hidden") and not call.flag("show_uncompleted")
    if hidden or by_property:
        listing.keep(_FINISHED)
    if (locked := call.flag("locked")) is not None:
        listing.keep("locked = ?", locked)
    search.keep(call, listing, "document")
    return paging.answer(call, listing)


def show(call: Call) -> Response:
    row = _document(call, call.ids["id"], trashed_too=call.state.flag("show_trashed"))
    return call.show("Document", _render(call).document(row))


def list_versions(call: Call) -> Response:
    row = _document(call, call.ids["id"])
    listing = Listing("DocumentVersion", "version", _render(call).version)
    listing.keep("document_id = ?", row["id"])
    if (finished := call.flag("fully_uploaded")) is not None:
        listing.keep("fully_uploaded = ?", finished)
    return paging.answer(call, listing)


def download(call: Call) -> Response:
    row = _document(call, call.ids["id"])
    version_id = call.integer("document_version_id")
    version = latest(call.state, row["id"], finished_only=True)
    if version_id is not None:
        version = call.state.one(
            "SELECT * FROM version WHERE id = ? AND document_id = ? AND fully_uploaded = 1",
            version_id,
            row["id"],
        )
    found = call.found(version, "DocumentVersion")
    url = storage.presigned(call.state, "GET", found["object_key"], seconds=_DOWNLOAD_SECONDS)
    return Response(303, headers=(("Location", url), ("Cache-Control", "no-store")))


# Reserving.


def create(call: Call) -> Response:
    name, parent = filing.name_of(call), call.data.get("parent")
    filename = call.data.get("filename") or name
    if not isinstance(filename, str) or "/" in filename or len(filename) > 255:
        raise invalid_argument("filename must be a name of at most 255 characters, without slashes")
    kind = versions.content_type(call.data.get("content_type"), filename)
    document_id = _existing(call, parent) or _new(call, name, parent)
    version_id = versions.reserve(call, document_id, filename=filename, kind=kind)
    row = _document(call, document_id)
    return call.show("Document", _render(call, version_id=version_id).document(row), status=201)


def _existing(call: Call, parent: Any) -> int | None:
    """A parent of type Document means a new version of it."""
    if not isinstance(parent, dict) or parent.get("type") != "Document":
        return None
    row = _document(call, read_integer(parent.get("id"), "parent id"))
    filing.refuse_if_locked(call, row)
    if call.state.word("version_properties") == "added":
        filing.add_properties(call, "document", row["id"])
    call.state.change("document", row["id"])
    return int(row["id"])


def _new(call: Call, name: str, parent: Any) -> int:
    place, now = filing.place(call, parent), call.state.stamp()
    document_id = call.state.insert(
        "document",
        name=name,
        parent_id=place.folder_id,
        matter_id=place.matter_id,
        contact_id=place.contact_id,
        document_category_id=filing.category_of(call),
        creator_id=call.user_id,
        received_at=_received(call) or now,
        created_at=now,
        updated_at=now,
    )
    filing.add_properties(call, "document", document_id)
    search.index(call.state, "document", document_id, name)
    return document_id


def _received(call: Call) -> str | None:
    given = call.data.get("received_at")
    return None if given is None else read_moment(str(given), "received_at")


# Changing.


def update(call: Call) -> Response:
    finishing = _truth(call.data.get("fully_uploaded"))
    row = _to_change(call, finishing=bool(finishing))
    call.check_match(_render(call).document(row))
    filing.refuse_if_locked(call, row)
    version_id, parts = _update_version(call, row, finishing=finishing)
    changes = _changes(call, row)
    filing.add_properties(call, "document", row["id"])
    call.state.change("document", row["id"], **changes)
    fresh = _document(call, row["id"], trashed_too=True)
    return call.show("Document", _render(call, version_id=version_id, parts=parts).document(fresh))


def _to_change(call: Call, *, finishing: bool) -> Row:
    restoring = _truth(call.data.get("restore"))
    allowed = bool(restoring) or (finishing and call.state.flag("confirm_trashed"))
    return _document(call, call.ids["id"], trashed_too=allowed)


def _truth(value: Any) -> bool | None:
    """The guide's samples send the text ``"true"``, the schema says boolean: both are understood."""
    if value is None or isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise invalid_argument("fully_uploaded must be true or false")
    return bool(value == "true")


def _update_version(call: Call, row: Row, *, finishing: bool | None) -> tuple[int | None, list[int] | None]:
    if finishing is None and "uuid" not in call.data:
        return None, None
    version = _named_version(call, row)
    if finishing:
        versions.confirm(call, version)
        return int(version["id"]), None
    return int(version["id"]), _more_parts(call, version)


def _named_version(call: Call, row: Row) -> Row:
    version_uuid = call.data.get("uuid")
    if not isinstance(version_uuid, str):
        raise invalid_argument("uuid is required to mark a document fully uploaded")
    version = call.state.one(
        "SELECT * FROM version WHERE document_id = ? AND uuid = ?", row["id"], version_uuid
    )
    return call.found(version, "DocumentVersion")


def _more_parts(call: Call, version: Row) -> list[int]:
    if call.data.get("multiparts") and (version["fully_uploaded"] or not version["upload_id"]):
        raise invalid_argument("multiparts can only be added to an unfinished multipart upload")
    return versions.add_parts(call, version["id"])


def _changes(call: Call, row: Row) -> dict[str, object]:
    changes: dict[str, object] = {}
    if "name" in call.data:
        changes["name"] = filing.name_of(call)
        search.index(call.state, "document", row["id"], str(changes["name"]))
    if "parent" in call.data:
        place = filing.place(call, call.data["parent"])
        changes |= {
            "parent_id": place.folder_id,
            "matter_id": place.matter_id,
            "contact_id": place.contact_id,
        }
    if "document_category" in call.data:
        changes["document_category_id"] = filing.category_of(call)
    if (received := _received(call)) is not None:
        changes["received_at"] = received
    if _truth(call.data.get("restore")):
        changes["deleted_at"] = None
    return changes


def trash(call: Call) -> Response:
    row = _document(call, call.ids["id"])
    unfinished = latest(call.state, row["id"], finished_only=True) is None
    answer = call.state.word("delete_unfinished") if unfinished else "trash"
    if answer == "404":
        call.found(None, "Document")
    if answer == "409" or row["locked"]:
        raise Refusal(
            409, call.state.word("conflict_type"), "The document is being modified by another request"
        )
    call.state.change("document", row["id"], deleted_at=call.state.stamp())
    return Response(204)
