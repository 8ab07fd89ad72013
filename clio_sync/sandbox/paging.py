"""Lists: filters become SQL, answers come in pages that link to each other by full URLs.

Ordered by id, a page is found by a cursor (``page_token``) and any number of records can be read. Any other
order counts by ``offset``, which Clio ends at 10,000.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clio_sync.sandbox import fields
from clio_sync.sandbox.call import Call, read_integer
from clio_sync.sandbox.errors import invalid_argument
from clio_sync.sandbox.fields import Record
from clio_sync.sandbox.server import Response, json_response
from clio_sync.sandbox.state import Row

_FURTHEST_OFFSET = 10_000
_LARGEST_PAGE = 200


@dataclass
class Listing:
    """What a list is taken from. ``orders`` maps the names Clio knows to SQL."""

    model: str
    table: str
    render: Callable[[Row], Record]
    orders: Mapping[str, str] = field(default_factory=dict)
    largest_page: int = _LARGEST_PAGE
    where: list[str] = field(default_factory=list)
    args: list[object] = field(default_factory=list)

    def keep(self, condition: str, *args: object) -> None:
        self.where.append(f"({condition})")
        self.args.extend(args)

    @property
    def condition(self) -> str:
        return " AND ".join(self.where) or "1"


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    previous: str | None
    next: str | None


def answer(call: Call, listing: Listing) -> Response:
    selection = call.selection(listing.model)
    _common_filters(call, listing)
    total = call.state.count(f"SELECT count(*) FROM {listing.table} WHERE {listing.condition}", *listing.args)  # noqa: S608
    page = _page(call, listing)
    links = {name: url for name, url in (("previous", page.previous), ("next", page.next)) if url}
    meta: dict[str, Any] = {"paging": links}
    if call.state.flag("records_in_meta"):
        meta["records"] = total
    data = [fields.project(listing.render(row), selection) for row in page.rows]
    return json_response(200, {"data": data, "meta": meta})


def _common_filters(call: Call, listing: Listing) -> None:
    if wanted := call.integers("ids[]"):
        listing.keep(f"id IN ({', '.join('?' * len(wanted))})", *wanted)
    for name, column in (("created_since", "created_at"), ("updated_since", "updated_at")):
        if since := call.moment(name):
            listing.keep(f"{column} >= ?", since)


def _page(call: Call, listing: Listing) -> Page:
    limit = _limit(call, listing)
    name, _, direction = (call.text("order") or "id(asc)").partition("(")
    if call.text("order") and (name not in {"id", *listing.orders} or direction not in {"asc)", "desc)"}):
        raise invalid_argument(f"order {call.text('order')} is not supported")
    if name == "id" and direction == "asc)" and call.text("offset") is None:
        return _by_cursor(call, listing, limit)
    descending = " DESC" if direction == "desc)" else ""
    column = "id" if name == "id" else listing.orders[name]
    return _by_offset(call, listing, limit, order=f"{column}{descending}, id{descending}")


def _limit(call: Call, listing: Listing) -> int:
    limit = call.integer("limit")
    if limit is not None and not 1 <= limit <= listing.largest_page:
        raise invalid_argument(f"limit must be between 1 and {listing.largest_page}")
    return limit or listing.largest_page


def _by_cursor(call: Call, listing: Listing, limit: int) -> Page:
    token = _read_token(call.text("page_token"))
    if "before" in token:
        rows = _rows(call, listing, "id < ?", "id DESC", token["before"], limit=limit)[::-1]
    else:
        rows = _rows(call, listing, "id > ?", "id", token.get("after", -1), limit=limit)
    if not rows:
        return Page([], None, None)
    first, last = rows[0]["id"], rows[-1]["id"]
    has_before = bool(_rows(call, listing, "id < ?", "id", first, limit=1)) if token else False
    has_after = bool(_rows(call, listing, "id > ?", "id", last, limit=1))
    return Page(
        rows,
        call.url(page_token=_token(before=first)) if has_before else None,
        call.url(page_token=_token(after=last)) if has_after else None,
    )


def _by_offset(call: Call, listing: Listing, limit: int, *, order: str) -> Page:
    offset = call.integer("offset") or 0
    if offset < 0 or offset + limit > _FURTHEST_OFFSET:
        raise invalid_argument(f"offset must leave the page within the first {_FURTHEST_OFFSET} records")
    found = _rows(call, listing, "1", order, limit=limit + 1, offset=offset)
    return Page(
        found[:limit],
        call.url(offset=str(max(0, offset - limit))) if offset else None,
        call.url(offset=str(offset + limit)) if len(found) > limit else None,
    )


def _rows(
    call: Call, listing: Listing, extra: str, order: str, *args: object, limit: int, offset: int = 0
) -> list[Row]:
    where = f"{listing.condition} AND {extra}"
    sql = f"SELECT * FROM {listing.table} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    return call.state.all(sql, *listing.args, *args, limit, offset)


def _token(**position: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _read_token(text: str | None) -> dict[str, int]:
    if text is None:
        return {}
    try:
        position = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return {name: read_integer(position[name], name) for name in ("after", "before") if name in position}
    except (ValueError, TypeError) as error:
        raise invalid_argument("page_token is not one that was given out") from error
