"""Rows as Clio's records. Associations are callables: they are loaded only when ``fields`` asks for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from clio_sync.sandbox.fields import Record
from clio_sync.sandbox.shapes import SHAPES
from clio_sync.sandbox.state import Row, State

ACCOUNT_ID = 88120
Lazy = Callable[[], Any]


def etag(kind: str, row: Row) -> str:
    """Changes with every change of the record. The quotes belong to it, in the field as in the header."""
    digest = hashlib.md5(
        f"{kind}:{row['id']}:{row['rev']}:{row['created_at']}".encode(), usedforsecurity=False
    )
    return f'"{digest.hexdigest()}"'


def base(model: str, kind: str, row: Row) -> dict[str, Any]:
    """What the row holds under names Clio knows. Lists that only Clio keeps are empty."""
    shape = SHAPES[model]
    known: dict[str, Any] = {name: [] for name, link in shape.associations.items() if link.many}
    known.update({name: row[name] for name in row.keys() if name in shape.attributes})  # noqa: SIM118
    return {**known, "etag": etag(kind, row)}


class Records:
    """Renders rows for one user: what that user may not see comes back redacted."""

    def __init__(self, state: State, user_id: int) -> None:
        self.state = state
        self.user_id = user_id

    def sees(self, row: Row) -> bool:
        return self.user_id not in json.loads(row["hidden_from"])

    def _link(self, kind: str, record_id: int | None, render: Callable[[Row], Record]) -> Lazy:
        def load() -> Record | None:
            if record_id is None:
                return None
            row = self.state.one(f"SELECT * FROM {kind} WHERE id = ?", record_id)  # noqa: S608
            if row is not None and "hidden_from" in row.keys() and not self.sees(row):  # noqa: SIM118
                return {"id": record_id, "redacted": True}
            return render(row) if row else None

        return load

    def account(self) -> Record:
        name = self.state.meta("firm_name") or "Harrow & Quill LLP"
        digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
        started = self.state.meta("firm_since") or "2019-03-04T17:00:00Z"
        return {
            "id": ACCOUNT_ID,
            "etag": f'"{digest}"',
            "name": name,
            "city": "Vancouver",
            "province": "BC",
            "country": "CA",
            "created_at": started,
            "updated_at": started,
        }

    def user(self, row: Row) -> Record:
        name = f"{row['first_name']} {row['last_name']}"
        return {
            **base("User", "user", row),
            "name": name,
            "initials": "".join(word[0] for word in name.split()),
            "roles": json.loads(row["roles"]),
            "enabled": bool(row["enabled"]),
            "account_owner": bool(row["account_owner"]),
            "clio_connect": False,
            "court_rules_default_attendee": False,
            "time_zone": "America/Vancouver",
            "locale": "en",
            "account": self.account,
        }

    def creator(self, row: Row) -> Record:
        return {**self.user(row), "type": "ManageUser"}

    def practice_area(self, row: Row) -> Record:
        return base("PracticeArea", "practice_area", row)

    def matter_stage(self, row: Row) -> Record:
        stage = base("MatterStage", "matter_stage", row)
        return {**stage, "practice_area_id": str(row["practice_area_id"])}

    def document_category(self, row: Row) -> Record:
        return base("DocumentCategory", "document_category", row)

    def contact(self, row: Row) -> Record:
        person = row["type"] == "Person"
        return {
            **base("Contact", "contact", row),
            "is_client": bool(row["is_client"]),
            "is_matter_client": bool(row["is_client"]),
            "initials": "".join(word[0] for word in row["name"].split()[:2]) if person else None,
            "primary_email_address": row["email"],
            "primary_phone_number": row["phone"],
            "company": self._link("contact", row["company_id"], self.contact),
        }

    def matter(self, row: Row) -> Record:
        return {
            **base("Matter", "matter", row),
            "billable": True,
            "has_tasks": False,
            "shared": False,
            "require_utbms_codes": False,
            "custom_number": row["display_number"],
            "client": self._link("contact", row["client_id"], self.contact),
            "practice_area": self._link("practice_area", row["practice_area_id"], self.practice_area),
            "matter_stage": self._link("matter_stage", row["matter_stage_id"], self.matter_stage),
            "responsible_attorney": self._link("user", row["responsible_attorney_id"], self.user),
            "originating_attorney": self._link("user", row["originating_attorney_id"], self.user),
            "folder": self._link("folder", row["folder_id"], self.folder),
        }

    def folder(self, row: Row) -> Record:
        return {
            **base("Folder", "folder", row),
            "type": "Folder",
            "root": bool(row["root"]),
            "locked": bool(row["locked"]),
            "parent": self._link("folder", row["parent_id"], self.folder),
            **self._filing_links("folder", row),
        }

    def _filing_links(self, kind: str, row: Row) -> dict[str, Any]:
        return {
            "matter": self._link("matter", row["matter_id"], self.matter),
            "contact": self._link("contact", row["contact_id"], self.contact),
            "creator": self._link("user", row["creator_id"], self.creator),
            "document_category": self._link(
                "document_category", row["document_category_id"], self.document_category
            ),
            "external_properties": lambda: self._external_properties(kind, row["id"]),
        }

    def _external_properties(self, kind: str, owner_id: int) -> list[Record]:
        rows = self.state.all(
            "SELECT * FROM external_property WHERE owner_kind = ? AND owner_id = ? ORDER BY id",
            kind,
            owner_id,
        )
        return [base("ExternalProperty_base", "external_property", row) for row in rows]
