"""Where things are filed: parents of documents and folders, external properties, categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clio_sync.sandbox.call import Call, read_integer
from clio_sync.sandbox.errors import Refusal, invalid_argument
from clio_sync.sandbox.paging import Listing
from clio_sync.sandbox.state import Row

_MOST_PROPERTIES = 5
_DESCENDANTS = (
    "WITH RECURSIVE below(id) AS"
    " (SELECT ? UNION SELECT folder.id FROM folder JOIN below ON folder.parent_id = below.id)"
    " SELECT id FROM below"
)
NOT_HIDDEN = (
    "matter_id IS NULL OR NOT EXISTS (SELECT 1 FROM matter, json_each(matter.hidden_from)"
    " WHERE matter.id = matter_id AND value = ?)"
)


@dataclass(frozen=True)
class Place:
    """A folder, and the matter or contact it belongs to."""

    folder_id: int
    matter_id: int | None
    contact_id: int | None


def place(call: Call, parent: Any) -> Place:
    """Resolve ``parent`` to a folder the user may file into."""
    if not isinstance(parent, dict) or "id" not in parent or "type" not in parent:
        raise invalid_argument("parent must have an id and a type")
    parent_id = read_integer(parent["id"], "parent id")
    if parent["type"] == "Matter":
        return _in_matter(call, parent_id)
    if parent["type"] == "Folder":
        return _in_folder(call, parent_id)
    if parent["type"] == "Contact":
        return _of_contact(call, parent_id)
    raise invalid_argument("parent type must be one of Document, Folder, Contact, or Matter")


def _in_matter(call: Call, matter_id: int) -> Place:
    row = call.state.one(
        "SELECT * FROM matter WHERE id = ?"
        " AND NOT EXISTS (SELECT 1 FROM json_each(hidden_from) WHERE value = ?)",
        matter_id,
        call.user_id,
    )
    matter = call.found(row, "Matter")
    if matter["status"] == "Closed" and call.state.flag("closed_matter_refuses"):
        raise invalid_argument("matter is closed")
    return Place(matter["folder_id"], matter_id, None)


def _in_folder(call: Call, folder_id: int) -> Place:
    row = folder(call, folder_id)
    if row["matter_id"]:
        _in_matter(call, row["matter_id"])
    return Place(folder_id, row["matter_id"], row["contact_id"])


def folder(call: Call, folder_id: int) -> Row:
    row = call.state.one(
        f"SELECT * FROM folder WHERE id = ? AND deleted_at IS NULL AND ({NOT_HIDDEN})",  # noqa: S608
        folder_id,
        call.user_id,
    )
    return call.found(row, "Folder")


def _of_contact(call: Call, contact_id: int) -> Place:
    contact = call.found(call.state.one("SELECT * FROM contact WHERE id = ?", contact_id), "Contact")
    known = call.state.one(
        "SELECT id FROM folder WHERE contact_id = ? AND matter_id IS NULL ORDER BY id LIMIT 1", contact_id
    )
    folder_id = known["id"] if known else _make_contact_folder(call, contact)
    return Place(folder_id, None, contact_id)


def _make_contact_folder(call: Call, contact: Row) -> int:
    root = call.state.one("SELECT id FROM folder WHERE root = 1")
    now = call.state.stamp()
    return call.state.insert(
        "folder",
        name=contact["name"],
        parent_id=root["id"] if root else None,
        contact_id=contact["id"],
        creator_id=call.user_id,
        created_at=now,
        updated_at=now,
    )


def name_of(call: Call) -> str:
    name = call.data.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 255:
        raise invalid_argument("name must be between 1 and 255 characters")
    return name


def category_of(call: Call) -> int | None:
    """The category named in the body; the keyword ``null`` means none."""
    category = call.data.get("document_category")
    if not isinstance(category, dict) or category.get("id") in (None, "null"):
        return None
    category_id = read_integer(category["id"], "document_category id")
    if call.state.one("SELECT 1 FROM document_category WHERE id = ?", category_id) is None:
        raise invalid_argument("document_category does not exist")
    return category_id


def add_properties(call: Call, kind: str, owner_id: int) -> None:
    """Add, change or remove what ``external_properties`` lists; five is the most a record may hold."""
    given = call.data.get("external_properties") or []
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid_argument("external_properties must be a list of names and values")
    for item in given:
        _apply_property(call, kind, owner_id, item)
    held = call.state.count(
        "SELECT count(*) FROM external_property WHERE owner_kind = ? AND owner_id = ?", kind, owner_id
    )
    if held > _MOST_PROPERTIES:
        raise invalid_argument(f"external_properties are limited to {_MOST_PROPERTIES} per {kind}")


def _apply_property(call: Call, kind: str, owner_id: int, item: dict[str, Any]) -> None:
    if "id" not in item:
        _add_property(call, kind, owner_id, item)
        return
    property_id = read_integer(item["id"], "external_properties id")
    row = call.state.one(
        "SELECT * FROM external_property WHERE id = ? AND owner_kind = ? AND owner_id = ?",
        property_id,
        kind,
        owner_id,
    )
    known = call.found(row, "ExternalProperty")
    if item.get("_destroy") in (True, "true"):
        call.state.run("DELETE FROM external_property WHERE id = ?", property_id)
        return
    wanted = {"name": known["name"], "value": known["value"], **item}
    name, value = _text(call, wanted, "name"), _text(call, wanted, "value")
    call.state.change("external_property", property_id, name=name, value=value, indexed_at_s=_indexed(call))


def _add_property(call: Call, kind: str, owner_id: int, item: dict[str, Any]) -> None:
    now = call.state.stamp()
    call.state.insert(
        "external_property",
        owner_kind=kind,
        owner_id=owner_id,
        name=_text(call, item, "name"),
        value=_text(call, item, "value"),
        indexed_at_s=_indexed(call),
        created_at=now,
        updated_at=now,
    )


def _indexed(call: Call) -> float:
    return call.state.now_s() + call.state.number("external_property_lag_seconds")


def _text(call: Call, item: dict[str, Any], name: str) -> str:
    text, longest = item.get(name), int(call.state.number("external_property_length"))
    if not isinstance(text, str) or not text or len(text) > longest:
        raise invalid_argument(f"external_properties {name} must be between 1 and {longest} characters")
    return text


def refuse_if_locked(call: Call, row: Row) -> None:
    if row["locked"]:
        raise Refusal(
            int(call.state.number("locked_status")), call.state.word("locked_type"), "The item is locked"
        )


# Filters that lists of documents and of folders share.


def keep(call: Call, listing: Listing, *, kind: str) -> None:
    listing.keep(NOT_HIDDEN, call.user_id)
    if not call.flag("include_deleted"):
        listing.keep("deleted_at IS NULL")
    for name in ("contact_id", "document_category_id"):
        _keep_link(call, listing, name)
    _keep_parent(call, listing)
    _keep_matter(call, listing)
    _keep_property(call, listing, kind)


def _keep_link(call: Call, listing: Listing, name: str) -> None:
    if call.text(name) == "null":
        listing.keep(f"{name} IS NULL")
    elif (value := call.integer(name)) is not None:
        listing.keep(f"{name} = ?", value)


def _keep_parent(call: Call, listing: Listing) -> None:
    scope = call.text("scope") or "children"
    if scope not in {"children", "descendants"}:
        raise invalid_argument("scope must be one of descendants or children")
    if scope == "children" or call.text("parent_id") in {None, "null"}:
        _keep_link(call, listing, "parent_id")
    elif (parent_id := call.integer("parent_id")) is not None:
        listing.keep(f"parent_id IN ({_DESCENDANTS})", parent_id)


def _keep_matter(call: Call, listing: Listing) -> None:
    _keep_link(call, listing, "matter_id")
    direct = not call.state.flag("matter_id_includes_subfolders") and call.text("scope") != "descendants"
    if direct and call.text("matter_id") not in {None, "null"} and call.text("parent_id") is None:
        listing.keep("parent_id = (SELECT folder_id FROM matter WHERE id = ?)", call.integer("matter_id"))


def _keep_property(call: Call, listing: Listing, kind: str) -> None:
    name, value = call.text("external_property_name"), call.text("external_property_value")
    if name is None:
        if value is not None:
            raise invalid_argument("external_property_value requires external_property_name")
        return
    condition, args = "owner_kind = ? AND name = ? AND indexed_at_s <= ?", [kind, name, call.state.now_s()]
    if value is not None:
        condition, args = f"{condition} AND value = ?", [*args, value]
    listing.keep(f"id IN (SELECT owner_id FROM external_property WHERE {condition})", *args)  # noqa: S608


def below(call: Call, folder_id: int) -> list[int]:
    return [row["id"] for row in call.state.all(_DESCENDANTS, folder_id)]
