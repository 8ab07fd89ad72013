"""Bytes at rest: one file per write, named at random, with the database saying what each one is.

A key may be written again while its URL lives (S3 allows that too); the ledger of writes keeps every hash.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clio_sync.sandbox.state import State


@dataclass(frozen=True)
class Written:
    file: Path
    size: int
    md5: bytes
    sha256: str

    @property
    def etag(self) -> str:
        return f'"{self.md5.hex()}"'

    @property
    def md5_text(self) -> str:
        return base64.b64encode(self.md5).decode()


@dataclass(frozen=True)
class Content:
    """A whole object: its files in order."""

    files: tuple[Path, ...]
    size: int

    def chunks(self) -> Iterator[bytes]:
        for path in self.files:
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    yield piece

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for piece in self.chunks():
            digest.update(piece)
        return digest.hexdigest()


def write(state: State, chunks: Iterable[bytes]) -> Written:
    """Put the bytes on disk in pieces. Nothing refers to the file yet; a failure removes it."""
    path = state.objects / uuid.uuid4().hex
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    try:
        with path.open("wb") as file:
            for piece in chunks:
                file.write(piece)
                md5.update(piece)
                sha256.update(piece)
                size += len(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Written(path, size, md5.digest(), sha256.hexdigest())


def keep(state: State, key: str, written: Written, *, part_number: int = 0, content_type: str) -> None:
    """Make these bytes the content of a key (part 0: the whole object)."""
    facts = {
        "key": key,
        "part_number": part_number,
        "size": written.size,
        "md5": written.md5.hex(),
        "sha256": written.sha256,
        "stored_at": state.stamp(),
    }
    state.insert("storage_write", **facts)
    earlier = state.all("SELECT file FROM stored_object WHERE key = ? AND part_number = ?", key, part_number)
    for row in earlier:
        (state.objects / row["file"]).unlink(missing_ok=True)
    state.run("DELETE FROM stored_object WHERE key = ? AND part_number = ?", key, part_number)
    state.insert("stored_object", file=written.file.name, content_type=content_type, **facts)


def find(state: State, key: str) -> Content | None:
    """The object as a reader would get it; parts count once all that were announced are there."""
    whole = state.all("SELECT * FROM stored_object WHERE key = ? AND part_number = 0", key)
    rows = whole or state.all("SELECT * FROM stored_object WHERE key = ? ORDER BY part_number", key)
    if not rows:
        return None
    return Content(tuple(state.objects / row["file"] for row in rows), sum(row["size"] for row in rows))
