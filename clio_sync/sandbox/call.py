"""One API call: who makes it, what was asked, and how its answer is put together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from clio_sync.sandbox import fields
from clio_sync.sandbox.errors import Refusal, invalid_argument, not_found
from clio_sync.sandbox.fields import Record, Selection
from clio_sync.sandbox.server import Request, Response, json_response
from clio_sync.sandbox.state import Row, State, iso
from clio_sync.sandbox.tokens import Bearer


@dataclass
class Call:
    state: State
    request: Request
    bearer: Bearer
    ids: dict[str, int]  # the numbers in the path

    @property
    def user_id(self) -> int:
        return self.bearer.user_id

    @cached_property
    def data(self) -> dict[str, Any]:
        """What stands under ``data`` in the body."""
        try:
            content = json.loads(self.request.body)
        except ValueError as error:
            raise Refusal(400, "InvalidRequest", "The body is not valid JSON") from error
        data = content.get("data") if isinstance(content, dict) else None
        if not isinstance(data, dict):
            raise invalid_argument("data is missing")
        return data

    def selection(self, model: str) -> Selection:
        name = ("name",) if self.state.flag("bare_association_has_name") else ()
        return fields.parse(self.request.query.get("fields"), model=model, bare=("id", "etag", *name))

    def show(self, model: str, record: Record, *, status: int = 200) -> Response:
        """One record, with the headers that let a client ask again cheaply; or 304 if it already has it."""
        content = fields.project(record, self.selection(model))
        if self.request.method == "GET" and self._has_it(record):
            return Response(304, headers=(("ETag", record["etag"]),))
        headers = (("ETag", record["etag"]), ("Last-Modified", _http_date(record["updated_at"])))
        return json_response(status, {"data": content}, *(headers if self.request.method == "GET" else ()))

    def _has_it(self, record: Record) -> bool:
        known = self.request.headers.get("if-none-match")
        if known is not None:
            return _same_etag(known, record["etag"])
        since = self.request.headers.get("if-modified-since")
        return since is not None and _moment(record["updated_at"]) <= _date_header(since)

    def check_match(self, record: Record) -> None:
        """A PATCH may say which state of the record it means."""
        wanted = self.request.headers.get("if-match")
        if wanted is not None and not _same_etag(wanted, record["etag"]):
            kind = self.state.word("stale_etag_type")
            raise Refusal(412, kind, "The resource has been changed since it was read")

    def found(self, row: Row | None, what: str) -> Row:
        if row is None:
            refusal = not_found(what)
            refusal.kind = self.state.word("not_found_type")
            raise refusal
        return row

    def url(self, **changes: str | None) -> str:
        """This request's own URL with other parameters, as Clio writes them in ``paging``."""
        kept = [
            (name, value) for name, value in self.request.query.pairs if name not in {"page_token", "offset"}
        ]
        new = [(name, value) for name, value in changes.items() if value is not None]
        query = urlencode(sorted(kept + new), quote_via=quote)
        return f"{self.state.addresses.api}{self.request.raw_path}?{query}"

    # Reading parameters.

    def text(self, name: str) -> str | None:
        return self.request.query.get(name) or None

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        return None if value is None else read_integer(value, name)

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value not in {"true", "false"}:
            raise invalid_argument(f"{name} must be true or false")
        return value == "true"

    def integers(self, name: str) -> list[int]:
        return [read_integer(value, name) for value in self.request.query.all(name)]

    def moment(self, name: str) -> str | None:
        value = self.text(name)
        return None if value is None else read_moment(value, name)


def read_integer(value: object, name: str) -> int:
    """Numbers may come as text, as they do in a query or a form; 64 bits is all an id may have."""
    text = str(value)
    if (
        isinstance(value, bool)
        or not text.lstrip("-").isdecimal()
        or len(text) > 19
        or abs(int(text)) >= 1 << 63
    ):
        raise invalid_argument(f"{name} must be an integer")
    return int(text)


def read_moment(value: str, name: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid_argument(f"{name} must be an ISO-8601 timestamp") from error
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _same_etag(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in {part.strip().removeprefix("W/") for part in header.split(",")}


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _http_date(stamp: str) -> str:
    return formatdate(_moment(stamp).timestamp(), usegmt=True)


def _date_header(value: str) -> datetime:
    try:
        return parsedate_to_datetime(value)
    except ValueError as error:
        raise invalid_argument("IF-MODIFIED-SINCE must be an RFC 2822 date") from error
