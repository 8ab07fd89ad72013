"""What Clio really holds, told without any of its rules: the ground truth for tests and receipts."""

from __future__ import annotations

from typing import Any

from clio_sync.sandbox import objects
from clio_sync.sandbox.state import Row, State


def documents(state: State, *, matter_id: int | None, include_seeded: bool) -> list[dict[str, Any]]:
    rows = state.all(
        "SELECT * FROM document WHERE (? IS NULL OR matter_id = ?) AND (? OR seeded = 0) ORDER BY id",
        matter_id,
        matter_id,
        include_seeded,
    )
    return [_told(state, row) for row in rows]


def document(state: State, document_id: int) -> dict[str, Any] | None:
    row = state.one("SELECT * FROM document WHERE id = ?", document_id)
    return _told(state, row) if row else None


def _told(state: State, row: Row) -> dict[str, Any]:
    rows = state.all("SELECT * FROM version WHERE document_id = ? ORDER BY number", row["id"])
    versions = [_version(state, version) for version in rows]
    finished = [version for version in versions if version["fully_uploaded"]]
    newest = finished[-1] if finished else None
    folder = state.one("SELECT name FROM folder WHERE id = ?", row["parent_id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "matter_id": row["matter_id"],
        "contact_id": row["contact_id"],
        "folder_id": row["parent_id"],
        "folder": folder["name"] if folder else None,
        "document_category_id": row["document_category_id"],
        "creator_id": row["creator_id"],
        "created_at": row["created_at"],
        "deleted_at": row["deleted_at"],
        "seeded": bool(row["seeded"]),
        "visible": newest is not None and row["deleted_at"] is None,
        "size": newest["size"] if newest else None,
        "sha256": newest["sha256"] if newest else None,
        "external_properties": _properties(state, row["id"]),
        "versions": versions,
    }


def _version(state: State, row: Row) -> dict[str, Any]:
    """``sha256`` is what was confirmed, ``stored_sha256`` what storage holds now. They must agree."""
    content = objects.find(state, row["object_key"])
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        "version_number": row["number"],
        "filename": row["filename"],
        "content_type": row["content_type"],
        "creator_id": row["creator_id"],
        "multipart": row["upload_id"] is not None,
        "fully_uploaded": bool(row["fully_uploaded"]),
        "confirmed_at": row["confirmed_at"],
        "size": row["size"],
        "sha256": row["sha256"],
        "stored_size": content.size if content else None,
        "stored_sha256": content.sha256() if content else None,
        "writes": state.count("SELECT count(*) FROM storage_write WHERE key = ?", row["object_key"]),
    }


def _properties(state: State, document_id: int) -> list[dict[str, str]]:
    rows = state.all(
        "SELECT name, value FROM external_property"
        " WHERE owner_kind = 'document' AND owner_id = ? ORDER BY id",
        document_id,
    )
    return [{"name": row["name"], "value": row["value"]} for row in rows]
