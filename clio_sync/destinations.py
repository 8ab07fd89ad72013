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
    named_by: str = ""  # empty: the file itself; else who chose the name (reviews.naming)
    folder_id: int | None = None
    folder_name: str = ""
    new_folders: tuple[str, ...] = ()  # below the folder or the matter: made when it is filed, if not there
    category_id: int | None = None
    category_name: str = ""
    document_id: int | None = None  # set: a new version of this existing Clio document
    document_name: str = ""  # what Clio calls it
    document_version: int | None = None  # its newest version when it was chosen

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Destination:
        """The object again from `to_json`; keys of a later release are ignored."""
        known = {field.name for field in fields(cls)}
        kept = {key: value for key, value in data.items() if key in known}
        return cls(**kept | {"new_folders": tuple(data.get("new_folders", ()))})

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"new_folders": list(self.new_folders)}

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
    def is_in_the_matter_itself(self) -> bool:
        """Not in any folder of it."""
        return self.folder_id is None and not self.new_folders

    @property
    def folder_path(self) -> str:
        """The folders from the matter to the document, or nothing."""
        return " / ".join(filter(None, (self.folder_name, *self.new_folders)))

    @property
    def place(self) -> str:
        """`2026-0042 Okafor v. Brandt / Correspondence / Smith`: matter and folders as a person says them."""
        return " / ".join((self._known_place, *self.new_folders))

    @property
    def _known_place(self) -> str:
        matter = " ".join(part for part in (self.matter_number, self.matter_description) if part)
        return f"{matter} / {self.folder_name}" if self.folder_name else matter

    def sentence(self) -> str:
        """What will happen, in one line."""
        category = f" as {self.category_name}" if self.category_name else ""
        if self.document_id is not None:
            return f"{self._addition}{category} in {self._known_place}"
        made = f" in a new folder “{' / '.join(self.new_folders)}”" if self.new_folders else ""
        return f"File “{self.file_name}”{category}{made} in {self._known_place}"

    @property
    def next_version(self) -> int | None:
        return None if self.document_version is None else self.document_version + 1

    @property
    def _addition(self) -> str:
        """Clio counts when it files: somebody else may add a version before."""
        version = f"version {self.next_version}" if self.next_version else "a new version"
        return f"Add “{self.file_name}” as {version} to “{self.document_name or self.document_id}”"
