"""The resources the portal only reads: users, matters, contacts, stages, categories, practice areas."""

from __future__ import annotations

from clio_sync.sandbox import paging, search
from clio_sync.sandbox.call import Call
from clio_sync.sandbox.errors import invalid_argument
from clio_sync.sandbox.paging import Listing
from clio_sync.sandbox.records import Records
from clio_sync.sandbox.server import Response
from clio_sync.sandbox.state import Row

_VISIBLE = "NOT EXISTS (SELECT 1 FROM json_each(hidden_from) WHERE value = ?)"


def records(call: Call) -> Records:
    return Records(call.state, call.user_id)


# Users.


def who_am_i(call: Call) -> Response:
    row = call.state.one("SELECT * FROM user WHERE id = ?", call.user_id)
    return call.show("User", records(call).user(call.found(row, "User")))


def users(call: Call) -> Response:
    orders = {name: name for name in ("enabled", "first_name", "last_name", "subscription_type")}
    orders |= {"name": "first_name || last_name", "initials": "first_name"}
    listing = Listing("User", "user", records(call).user, orders=orders, largest_page=2000)
    if (enabled := call.flag("enabled")) is not None:
        listing.keep("enabled = ?", enabled)
    if name := call.text("name"):
        listing.keep("first_name || ' ' || last_name LIKE ?", f"%{name}%")
    if kind := call.text("subscription_type"):
        listing.keep("lower(subscription_type) = ?", kind)
    return paging.answer(call, listing)


def user(call: Call) -> Response:
    row = call.state.one("SELECT * FROM user WHERE id = ?", call.ids["id"])
    return call.show("User", records(call).user(call.found(row, "User")))


# Matters.

_MATTER_ORDERS = {
    "display_number": "display_number",
    "custom_number": "display_number",
    "client.name": "(SELECT name FROM contact WHERE contact.id = client_id)",
    "clients": "(SELECT name FROM contact WHERE contact.id = client_id)",
    "practice_area.name": "(SELECT name FROM practice_area p WHERE p.id = practice_area_id)",
    "matter_stage.name": "(SELECT name FROM matter_stage s WHERE s.id = matter_stage_id)",
    "responsible_attorney.name": "(SELECT first_name FROM user WHERE user.id = responsible_attorney_id)",
    "originating_attorney.name": "(SELECT first_name FROM user WHERE user.id = originating_attorney_id)",
    "open_date": "open_date",
    "close_date": "close_date",
    "pending_date": "pending_date",
    "updated_at": "updated_at",
    "created_at": "created_at",
    "matter_stage_updated_at": "updated_at",
    "statute_of_limitations.due_at": "id",
    "grants": "id",
}


def matters(call: Call) -> Response:
    listing = Listing("Matter", "matter", records(call).matter, orders=_MATTER_ORDERS)
    listing.keep(_VISIBLE, call.user_id)
    if statuses := call.text("status"):
        _keep_statuses(listing, statuses.split(","))
    for name in ("client_id", "practice_area_id", "responsible_attorney_id", "originating_attorney_id"):
        if (value := call.integer(name)) is not None:
            listing.keep(f"{name} = ?", value)
    search.keep(call, listing, "matter")
    return paging.answer(call, listing)


def _keep_statuses(listing: Listing, wanted: list[str]) -> None:
    if unknown := set(wanted) - {"open", "pending", "closed"}:
        raise invalid_argument(f"status must be one of open, pending, or closed, not {min(unknown)}")
    listing.keep(f"lower(status) IN ({', '.join('?' * len(wanted))})", *wanted)


def matter(call: Call) -> Response:
    return call.show("Matter", records(call).matter(_matter(call, call.ids["id"])))


def matter_client(call: Call) -> Response:
    client_id = _matter(call, call.ids["matter_id"])["client_id"]
    return call.show("Client", records(call).contact(_contact(call, client_id)))


def _matter(call: Call, matter_id: int) -> Row:
    row = call.state.one(f"SELECT * FROM matter WHERE id = ? AND {_VISIBLE}", matter_id, call.user_id)  # noqa: S608
    return call.found(row, "Matter")


# Contacts.


def contacts(call: Call) -> Response:
    listing = Listing("Contact", "contact", records(call).contact, orders={"name": "name", "shared_at": "id"})
    listing.keep(_VISIBLE, call.user_id)
    if kind := call.text("type"):
        if kind not in {"Company", "Person"}:
            raise invalid_argument("type must be Company or Person")
        listing.keep("type = ?", kind)
    if call.flag("client_only"):
        listing.keep("is_client = 1")
    if initial := call.text("initial"):
        listing.keep("upper(substr(name, 1, 1)) = ?", initial)
    search.keep(call, listing, "contact")
    return paging.answer(call, listing)


def contact(call: Call) -> Response:
    return call.show("Contact", records(call).contact(_contact(call, call.ids["id"])))


def _contact(call: Call, contact_id: int) -> Row:
    row = call.state.one(f"SELECT * FROM contact WHERE id = ? AND {_VISIBLE}", contact_id, call.user_id)  # noqa: S608
    return call.found(row, "Contact")


# The short lists.


def matter_stages(call: Call) -> Response:
    listing = Listing("MatterStage", "matter_stage", records(call).matter_stage)
    if (area := call.integer("practice_area_id")) is not None:
        listing.keep("practice_area_id = ?", area)
    return paging.answer(call, listing)


def document_categories(call: Call) -> Response:
    listing = Listing(
        "DocumentCategory", "document_category", records(call).document_category, orders={"name": "name"}
    )
    if query := call.text("query"):
        listing.keep("name LIKE ?", f"%{query}%")
    return paging.answer(call, listing)


def document_category(call: Call) -> Response:
    row = call.state.one("SELECT * FROM document_category WHERE id = ?", call.ids["id"])
    found = call.found(row, "DocumentCategory")
    return call.show("DocumentCategory", records(call).document_category(found))


def practice_areas(call: Call) -> Response:
    orders = {name: name for name in ("name", "category", "code")}
    listing = Listing("PracticeArea", "practice_area", records(call).practice_area, orders=orders)
    for name in ("code", "name"):
        if value := call.text(name):
            listing.keep(f"{name} = ?", value)
    if (matter_id := call.integer("matter_id")) is not None:
        listing.keep("id IN (SELECT practice_area_id FROM matter WHERE id = ?)", matter_id)
    return paging.answer(call, listing)


def practice_area(call: Call) -> Response:
    row = call.state.one("SELECT * FROM practice_area WHERE id = ?", call.ids["id"])
    return call.show("PracticeArea", records(call).practice_area(call.found(row, "PracticeArea")))
