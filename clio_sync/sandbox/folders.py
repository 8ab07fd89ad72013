"""Folders: list, show, create, rename, move, trash."""

from __future__ import annotations

from clio_sync.sandbox import filing, paging, search
from clio_sync.sandbox.call import Call
from clio_sync.sandbox.errors import Refusal
from clio_sync.sandbox.paging import Listing
from clio_sync.sandbox.records import Records
from clio_sync.sandbox.server import Response
from clio_sync.sandbox.state import Row


def index(call: Call) -> Response:
    render = Records(call.state, call.user_id).folder
    listing = Listing("Folder", "folder", render, orders={"name": "name", "updated_at": "updated_at"})
    filing.keep(call, listing, kind="folder")
    search.keep(call, listing, "folder")
    return paging.answer(call, listing)


def show(call: Call) -> Response:
    return _shown(call, filing.folder(call, call.ids["id"]))


def create(call: Call) -> Response:
    place = filing.place(call, call.data.get("parent"))
    now = call.state.stamp()
    folder_id = call.state.insert(
        "folder",
        name=filing.name_of(call),
        parent_id=place.folder_id,
        matter_id=place.matter_id,
        contact_id=place.contact_id,
        document_category_id=filing.category_of(call),
        creator_id=call.user_id,
        created_at=now,
        updated_at=now,
    )
    filing.add_properties(call, "folder", folder_id)
    search.index(call.state, "folder", folder_id, call.data["name"])
    return _shown(call, filing.folder(call, folder_id), status=201)


def update(call: Call) -> Response:
    row = filing.folder(call, call.ids["id"])
    call.check_match(Records(call.state, call.user_id).folder(row))
    filing.refuse_if_locked(call, row)
    changes: dict[str, object] = {}
    if "name" in call.data:
        changes["name"] = filing.name_of(call)
        search.index(call.state, "folder", row["id"], str(changes["name"]))
    if "parent" in call.data:
        place = filing.place(call, call.data["parent"])
        if place.folder_id in filing.below(call, row["id"]):
            raise Refusal(
                422, "ArgumentError", "An invalid argument was supplied: a folder cannot hold itself"
            )
        changes |= {
            "parent_id": place.folder_id,
            "matter_id": place.matter_id,
            "contact_id": place.contact_id,
        }
    if "document_category" in call.data:
        changes["document_category_id"] = filing.category_of(call)
    filing.add_properties(call, "folder", row["id"])
    call.state.change("folder", row["id"], **changes)
    return _shown(call, filing.folder(call, row["id"]))


def trash(call: Call) -> Response:
    row = filing.folder(call, call.ids["id"])
    if row["root"] or call.state.one("SELECT 1 FROM matter WHERE folder_id = ?", row["id"]):
        raise Refusal(400, "DeleteFailed", "Delete failed: a root folder cannot be deleted")
    now = call.state.stamp()
    for folder_id in filing.below(call, row["id"]):
        call.state.run("UPDATE folder SET deleted_at = ?, rev = rev + 1 WHERE id = ?", now, folder_id)
        call.state.run(
            "UPDATE document SET deleted_at = ?, rev = rev + 1 WHERE parent_id = ? AND deleted_at IS NULL",
            now,
            folder_id,
        )
    return Response(204)


def _shown(call: Call, row: Row, *, status: int = 200) -> Response:
    return call.show("Folder", Records(call.state, call.user_id).folder(row), status=status)
