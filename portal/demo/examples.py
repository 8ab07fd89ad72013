"""The files in `examples/`, with the matter each belongs to and what an AI says about having made it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    name: str
    content: bytes
    matter: str
    title: str
    provenance: dict[str, str]

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def load(folder: Path = FOLDER) -> list[Example]:
    told: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [
        Example(
            Path(one["file"]).name,
            (folder / one["file"]).read_bytes(),
            one["matter"],
            one["title"],
            one["provenance"],
        )
        for one in told["drafts"]
    ]
