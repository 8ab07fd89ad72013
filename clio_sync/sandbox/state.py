"""Everything the sandbox remembers, in one SQLite file, so that a kill loses nothing that was answered.

One connection behind one lock: in a rehearsal room a serial history is worth more than speed.
A call's effects and its line in the ledger are one transaction.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clio_sync.sandbox import switches
from clio_sync.sandbox.schema import SCHEMA, TABLES

Row = sqlite3.Row

# Where the numbering of each kind of record begins, so that ids look like Clio's and never depend on chance.
FIRST_IDS = {
    "document": 991_200_001,
    "version": 881_240_001,
    "folder": 77_130_001,
    "matter": 48_210_001,
    "contact": 771_001,
    "external_property": 30_001,
}


@dataclass(frozen=True)
class Addresses:
    """Where the listeners can be reached from outside, without a trailing slash."""

    api: str
    storage: str
    control: str


class State:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = folder / "objects"
        self.objects.mkdir(parents=True, exist_ok=True)
        self.addresses = Addresses("", "", "")
        self._lock = threading.RLock()
        self._depth = 0
        self.generation = (
            0  # grows with every reset, so that calls begun before it know that they are too late
        )
        self.db = self._open(folder / "sandbox.sqlite3")
        self._switches: dict[str, switches.Value] = json.loads(self.meta("switches") or "{}")
        self._offset = float(self.meta("clock_offset") or 0)

    def _open(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        db.row_factory = Row
        # NORMAL: a killed process loses nothing; only a power cut could.
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)
        return db

    def close(self) -> None:
        with self._lock:
            self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the block alone and all or nothing. An inner block that fails undoes only itself."""
        with self._lock:
            begin, commit, undo = _words(self._depth)
            self.db.execute(begin)
            self._depth += 1
            try:
                yield self.db
            except BaseException:
                for word in undo:
                    self.db.execute(word)
                raise
            else:
                self.db.execute(commit)
            finally:
                self._depth -= 1

    def all(self, sql: str, *args: object) -> list[Row]:
        with self._lock:
            return self.db.execute(sql, args).fetchall()

    def one(self, sql: str, *args: object) -> Row | None:
        with self._lock:
            row: Row | None = self.db.execute(sql, args).fetchone()
            return row

    def count(self, sql: str, *args: object) -> int:
        row = self.one(sql, *args)
        return int(row[0]) if row and row[0] is not None else 0

    def run(self, sql: str, *args: object) -> int:
        """Execute one statement and say how many rows it touched."""
        with self._lock:
            return self.db.execute(sql, args).rowcount

    def insert(self, table: str, **values: object) -> int:
        """Add a row; an ``id`` is given by the table's own numbering unless one is passed."""
        if "id" not in values and table in FIRST_IDS:
            values["id"] = self.next_id(table)
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        with self._lock:
            sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names come from our own code
            cursor = self.db.execute(sql, tuple(values.values()))
            return int(cursor.lastrowid or 0)

    def next_id(self, table: str) -> int:
        """Numbers are never used twice, even after a purge: an old id must not come to mean a new record."""
        with self._lock:
            given = max(int(self.meta(f"last_{table}") or 0), FIRST_IDS[table] - 1) + 1
            self.set_meta(f"last_{table}", str(given))
            return given

    def change(self, table: str, record_id: int, **values: object) -> None:
        """Update one row and give it a new etag."""
        values["updated_at"] = self.stamp()
        sets = ", ".join(f'"{name}" = ?' for name in values)
        self.run(f"UPDATE {table} SET {sets}, rev = rev + 1 WHERE id = ?", *values.values(), record_id)  # noqa: S608

    def meta(self, name: str) -> str | None:
        row = self.one("SELECT value FROM meta WHERE name = ?", name)
        return str(row["value"]) if row else None

    def set_meta(self, name: str, value: str) -> None:
        self.run(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        )

    def secret(self, name: str) -> str:
        """A random value made once and kept, such as the key that signs storage URLs."""
        known = self.meta(name)
        if known is None:
            known = secrets.token_urlsafe(32)
            self.set_meta(name, known)
        return known

    # The clock: the machine's own, plus what the control API has moved it by.

    def now_s(self) -> float:
        return time.time() + self._offset

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s(), UTC)

    def stamp(self) -> str:
        return iso(self.now())

    @property
    def clock_offset(self) -> float:
        return self._offset

    def move_clock(self, offset: float) -> None:
        self.set_meta("clock_offset", repr(offset))
        self._offset = offset

    # The switches.

    def switch(self, name: str) -> switches.Value:
        return self._switches.get(name, switches.SWITCHES[name].default)

    def flag(self, name: str) -> bool:
        return bool(self.switch(name))

    def number(self, name: str) -> float:
        return float(self.switch(name))

    def word(self, name: str) -> str:
        return str(self.switch(name))

    def switches(self) -> dict[str, switches.Value]:
        return {name: self.switch(name) for name in switches.SWITCHES}

    def set_switches(self, wanted: Mapping[str, object]) -> None:
        """All of them or, when one is not understood, none."""
        read = {name: switches.read(name, value) for name, value in wanted.items()}
        with self.transaction():
            self._switches = {**self._switches, **read}
            self.set_meta("switches", json.dumps(self._switches))

    def default_switches(self) -> None:
        self._switches = {}
        self.set_meta("switches", "{}")

    def empty(self) -> None:
        """Forget every record, token, fault and call. Keys, clock and switches stay."""
        with self.transaction():
            self.generation += 1
            for table in TABLES:
                self.run(f"DELETE FROM {table}")  # noqa: S608
            self.run("DELETE FROM meta WHERE name LIKE 'last_%'")
        for file in self.objects.iterdir():
            file.unlink(missing_ok=True)


def _words(depth: int) -> tuple[str, str, tuple[str, ...]]:
    if not depth:
        return "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
    mark = f"inner_{depth}"
    return f"SAVEPOINT {mark}", f"RELEASE {mark}", (f"ROLLBACK TO {mark}", f"RELEASE {mark}")


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_dict(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row is not a mapping
