"""What a person does in Clio while the portal is not looking. ``{"act": NAME, ...}`` on the control API.

=====================  ======================================================================
``revoke_grant``       the user removes the app (``user_id``; without it, everyone does)
``expire_tokens``      every access token ends now; refreshing still works (``user_id`` optional)
``disable_user``       ``user_id``; ``enable_user`` undoes it
``close_matter``       ``matter_id``; also ``open_matter`` and ``pend_matter``
``rename_matter``      ``matter_id``, ``description``
``hide_matter``        ``matter_id`` from ``user_id``; ``unhide_matter`` undoes it. Also ``hide_contact``
``trash_document``     ``document_id``; also ``restore_document``, ``lock_document``, ``unlock_document``
``purge_document``     ``document_id`` is gone for good
``rename_document``    ``document_id``, ``name``
``move_document``      ``document_id``, ``folder_id``
``trash_folder``       ``folder_id``
``add_category``       ``name``; also ``drop_category`` with ``document_category_id``
=====================  ======================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from clio_sync.sandbox import search, seed, tokens
from clio_sync.sandbox.state import Row, State

_STATUSES = {"close_matter": "Closed", "open_matter": "Open", "pend_matter": "Pending"}


class CannotAct(Exception):
    """There is no such act, or nothing to do it to."""


def act(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    """Do it, and say what it touched."""
    name = wanted.get("act")
    if not isinstance(name, str) or name not in _ACTS:
        raise CannotAct(f"There is no act {name!r}. The acts are {', '.join(sorted(_ACTS))}.")
    with state.transaction():
        return {"act": name, **_ACTS[name](state, wanted)}


def _row(state: State, table: str, wanted: dict[str, Any]) -> Row:
    row = state.one(f"SELECT * FROM {table} WHERE id = ?", wanted.get(f"{table}_id"))  # noqa: S608
    if row is None:
        raise CannotAct(f"There is no {table.replace('_', ' ')} {wanted.get(f'{table}_id')}.")
    return row


def _text(wanted: dict[str, Any], name: str) -> str:
    if not isinstance(wanted.get(name), str) or not wanted[name]:
        raise CannotAct(f"Say the {name}.")
    return str(wanted[name])


# People and grants.


def _revoke_grant(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    return {"grants": tokens.revoke_user(state, wanted.get("user_id"))}


def _expire_tokens(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    user_id = wanted.get("user_id")
    ended = state.run(
        "UPDATE token SET expires_at_s = ? WHERE kind = 'access' AND expires_at_s > ? AND consent_id IN"
        " (SELECT id FROM consent WHERE ? IS NULL OR user_id = ?)",
        state.now_s(),
        state.now_s(),
        user_id,
        user_id,
    )
    return {"tokens": ended}


def _set_enabled(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row, enabled = _row(state, "user", wanted), wanted["act"] == "enable_user"
    state.change("user", row["id"], enabled=enabled)
    return {"user_id": row["id"], "enabled": enabled}


# Matters and contacts.


def _set_status(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row, status = _row(state, "matter", wanted), _STATUSES[wanted["act"]]
    today = state.stamp()[:10]
    state.change("matter", row["id"], status=status, close_date=today if status == "Closed" else None)
    return {"matter_id": row["id"], "status": status}


def _rename_matter(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row = _row(state, "matter", wanted)
    state.change("matter", row["id"], description=_text(wanted, "description"))
    seed.index_matter(state, row["id"], at_once=False)
    return {"matter_id": row["id"]}


def _set_hidden(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    table = str(wanted["act"]).partition("_")[2]
    row, user_id = _row(state, table, wanted), int(_row(state, "user", wanted)["id"])
    hidden = set(json.loads(row["hidden_from"])) - {user_id}
    hidden |= {user_id} if str(wanted["act"]).startswith("hide") else set()
    state.change(table, row["id"], hidden_from=json.dumps(sorted(hidden)))
    return {f"{table}_id": row["id"], "hidden_from": sorted(hidden)}


# Documents and folders.


def _trash(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    verb, _, table = str(wanted["act"]).partition("_")
    row = _row(state, table, wanted)
    state.change(table, row["id"], deleted_at=state.stamp() if verb == "trash" else None)
    return {f"{table}_id": row["id"]}


def _set_locked(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row, locked = _row(state, "document", wanted), wanted["act"] == "lock_document"
    state.change("document", row["id"], locked=locked)
    return {"document_id": row["id"], "locked": locked}


def _purge(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row = _row(state, "document", wanted)
    state.run("DELETE FROM version WHERE document_id = ?", row["id"])
    state.run("DELETE FROM external_property WHERE owner_kind = 'document' AND owner_id = ?", row["id"])
    state.run("DELETE FROM document WHERE id = ?", row["id"])
    return {"document_id": row["id"]}


def _rename_document(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row, name = _row(state, "document", wanted), _text(wanted, "name")
    state.change("document", row["id"], name=name)
    search.index(state, "document", row["id"], name)
    return {"document_id": row["id"], "name": name}


def _move_document(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row, folder = _row(state, "document", wanted), _row(state, "folder", wanted)
    state.change("document", row["id"], parent_id=folder["id"], matter_id=folder["matter_id"])
    return {"document_id": row["id"], "folder_id": folder["id"]}


def _add_category(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    now = state.stamp()
    made = state.insert("document_category", name=_text(wanted, "name"), created_at=now, updated_at=now)
    return {"document_category_id": made}


def _drop_category(state: State, wanted: dict[str, Any]) -> dict[str, Any]:
    row = _row(state, "document_category", wanted)
    state.run("DELETE FROM document_category WHERE id = ?", row["id"])
    return {"document_category_id": row["id"]}


_ACTS: dict[str, Callable[[State, dict[str, Any]], dict[str, Any]]] = {
    "revoke_grant": _revoke_grant,
    "expire_tokens": _expire_tokens,
    "disable_user": _set_enabled,
    "enable_user": _set_enabled,
    **dict.fromkeys(_STATUSES, _set_status),
    "rename_matter": _rename_matter,
    **dict.fromkeys(("hide_matter", "unhide_matter", "hide_contact", "unhide_contact"), _set_hidden),
    **dict.fromkeys(("trash_document", "restore_document", "trash_folder", "restore_folder"), _trash),
    "lock_document": _set_locked,
    "unlock_document": _set_locked,
    "purge_document": _purge,
    "rename_document": _rename_document,
    "move_document": _move_document,
    "add_category": _add_category,
    "drop_category": _drop_category,
}
