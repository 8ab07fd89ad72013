"""Where a draft will go. The page shows, the reviewer approves and the worker executes the same object."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Destination:
    """One place in one Clio account. Names are as Clio showed them when they were read."""

    connection_id: str
    matter_id: int
    matter_number: str
    matter_description: str = ""
    client_name: str = ""
    file_name: str
    folder_id: int | None = None
    folder_name: str = ""
    category_id: int | None = None
    category_name: str = ""
    document_id: int | None = None  # set: a new version of this existing Clio document

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Destination:
        """The object again from `to_json`; keys of a later release are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def parent_type(self) -> str:
        """Clio's `parent.type` for the reservation (Clio's "Documents" guide)."""
        if self.document_id is not None:
            return "Document"
        return "Folder" if self.folder_id is not None else "Matter"

    @property
    def parent_id(self) -> int:
        return self.document_id or self.folder_id or self.matter_id

    @property
    def place(self) -> str:
        """`2026-0042 Okafor v. Brandt / Correspondence`: matter and folder as a person says them."""
        matter = " ".join(part for part in (self.matter_number, self.matter_description) if part)
        return f"{matter} / {self.folder_name}" if self.folder_name else matter

    def sentence(self) -> str:
        """What will happen, in one line."""
        act = "Add a new version of" if self.document_id is not None else "File"
        category = f" as {self.category_name}" if self.category_name else ""
        return f"{act} “{self.file_name}”{category} in {self.place}"
