"""How far the log had come, kept outside the database: what tells a restored database from the one that was.

The mark names the newest entry by its number and its hash. A database that lost entries since, or wrote
others in their place, does not hold that entry. The file lies in DATA_DIR beside the blobs, not in a backup
of the database, and is replaced in one step, so that a crash leaves the old mark or the new one.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

FORMAT = 1


class UnreadableMark(Exception):
    """There is a mark, but it cannot be read: whether the database is the one that wrote it is not known."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    log: str  # the log's name
    entry: int  # the number of its newest entry
    sha256: str  # the hash of that entry's bytes
    at: datetime


def read(path: Path) -> Mark | None:
    """The mark, or None where none was ever written. Raises UnreadableMark."""
    try:
        said = json.loads(path.read_text(encoding="ascii"))
        if said["format"] != FORMAT:
            raise UnreadableMark(f"{path} is of another release.")
        return Mark(
            log=str(said["log"]),
            entry=int(said["entry"]),
            sha256=str(said["sha256"]),
            at=datetime.fromisoformat(said["at"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableMark(f"{path} cannot be read: {type(error).__name__}.") from error


def write(path: Path, mark: Mark) -> None:
    """Replace the mark. When this returns it survives a power cut."""
    said = {"format": FORMAT, **asdict(mark), "at": mark.at.isoformat()}
    replace_durably(path, json.dumps(said).encode("ascii") + b"\n")


def replace_durably(path: Path, content: bytes) -> None:
    """The file holds all of `content`, or what it held before, whatever dies in between."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make it last that names in this folder came or went."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
