"""Pages for a person who follows a link into Clio: the firm, a matter, one document. And assets."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from clio_sync.sandbox import pages
from clio_sync.sandbox.oauth import firm_name
from clio_sync.sandbox.server import Request, Response, html_response
from clio_sync.sandbox.state import Row, State

_ASSETS = {"sandbox.css": "text/css", "nc.js": "text/javascript", "icon.svg": "image/svg+xml"}
_LATEST = "SELECT * FROM version WHERE document_id = ? AND fully_uploaded = 1 ORDER BY number DESC LIMIT 1"


def page(state: State, request: Request) -> Response:
    path = request.path
    if request.method not in {"GET", "HEAD"}:
        return _missing()
    if path in {"/", "/nc", "/nc/"}:
        return _home(state)
    if path.startswith("/assets/"):
        return _asset(path.removeprefix("/assets/"))
    if match := re.fullmatch(r"/(?:nc/)?(matters|documents)/([0-9]{1,18})(?:/documents)?", path):
        return (_matter if match[1] == "matters" else _document)(state, int(match[2]))
    return _missing()


def _missing() -> Response:
    text = pages.problem("Nothing here", "The sandbox has no page at this address.")
    return html_response(404, text, *pages.headers())


def _asset(name: str) -> Response:
    if name not in _ASSETS:
        return _missing()
    return Response(
        200, _read_asset(name), (("Content-Type", _ASSETS[name]), ("X-Content-Type-Options", "nosniff"))
    )


@cache
def _read_asset(name: str) -> bytes:
    return (files("clio_sync.sandbox") / "assets" / name).read_bytes()


def _home(state: State) -> Response:
    rows = state.all(
        "SELECT matter.*, contact.name AS client, practice_area.name AS practice_area,"
        " (SELECT count(*) FROM document WHERE document.matter_id = matter.id AND deleted_at IS NULL"
        "  AND EXISTS (SELECT 1 FROM version WHERE document_id = document.id AND fully_uploaded = 1))"
        " AS documents"
        " FROM matter JOIN contact ON contact.id = matter.client_id"
        " LEFT JOIN practice_area ON practice_area.id = matter.practice_area_id ORDER BY display_number DESC"
    )
    users = state.all("SELECT * FROM user ORDER BY id")
    matters = [{name: row[name] if row[name] is not None else "" for name in row.keys()} for row in rows]  # noqa: SIM118
    text = pages.home(firm=firm_name(state), users=users, matters=matters)
    return html_response(200, text, *pages.headers())


def _matter(state: State, matter_id: int) -> Response:
    matter = state.one(
        "SELECT matter.*, contact.name AS client FROM matter JOIN contact ON contact.id = client_id"
        " WHERE matter.id = ?",
        matter_id,
    )
    if matter is None:
        return _missing()
    rows = state.all(
        "SELECT * FROM document WHERE matter_id = ? AND deleted_at IS NULL ORDER BY id DESC", matter_id
    )
    documents = [listed for row in rows if (listed := _listed(state, row))]
    title = f"{matter['display_number']} {matter['description']}"
    text = pages.matter(
        firm=firm_name(state),
        title=title,
        client=matter["client"],
        status=matter["status"],
        documents=documents,
    )
    return html_response(200, text, *pages.headers())


def _listed(state: State, row: Row) -> dict[str, Any] | None:
    """Unfinished uploads are invisible here, as they are to a lawyer in Clio."""
    version = state.one(_LATEST, row["id"])
    if version is None:
        return None
    return {
        "id": row["id"],
        "name": row["name"],
        "folder": _name(state, "folder", row["parent_id"]),
        "version": version["number"],
        "size": version["size"],
        "creator": _person(state, version["creator_id"]),
        "at": _readable(version["confirmed_at"]),
        "sha256": version["sha256"],
    }


def _document(state: State, document_id: int) -> Response:
    row = state.one("SELECT * FROM document WHERE id = ? AND deleted_at IS NULL", document_id)
    if row is None or state.one(_LATEST, document_id) is None:
        return _missing()
    matter = state.one("SELECT * FROM matter WHERE id = ?", row["matter_id"])
    versions = state.all("SELECT * FROM version WHERE document_id = ? ORDER BY number DESC", document_id)
    text = pages.document(
        name=row["name"],
        matter_id=row["matter_id"],
        matter_title=f"{matter['display_number']} {matter['description']}" if matter else "Contact documents",
        facts=_facts(state, row),
        versions=[_version(state, version) for version in versions],
    )
    return html_response(200, text, *pages.headers())


def _facts(state: State, row: Row) -> dict[str, str]:
    facts = {
        "Folder": _name(state, "folder", row["parent_id"]),
        "Category": _name(state, "document_category", row["document_category_id"]),
        "Created by": _person(state, row["creator_id"]),
        "Created": _readable(row["created_at"]),
        "Document id": str(row["id"]),
    }
    properties = state.all(
        "SELECT name, value FROM external_property"
        " WHERE owner_kind = 'document' AND owner_id = ? ORDER BY id",
        row["id"],
    )
    return {label: value for label, value in facts.items() if value} | {
        item["name"]: item["value"] for item in properties
    }


def _version(state: State, row: Row) -> dict[str, Any]:
    return {
        "number": row["number"],
        "filename": row["filename"],
        "size": row["size"],
        "creator": _person(state, row["creator_id"]),
        "at": _readable(row["received_at"]),
        "done": bool(row["fully_uploaded"]),
        "sha256": row["sha256"],
    }


def _name(state: State, table: str, record_id: int | None) -> str:
    row = state.one(f"SELECT name FROM {table} WHERE id = ?", record_id)  # noqa: S608 - two names, both above
    return str(row["name"]) if row else ""


def _person(state: State, user_id: int) -> str:
    row = state.one("SELECT first_name || ' ' || last_name AS name FROM user WHERE id = ?", user_id)
    return str(row["name"]) if row else ""


def _readable(stamp: str) -> str:
    return f"{stamp[:10]} {stamp[11:16]} UTC"
