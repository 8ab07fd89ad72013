"""The gate before filing. It is closed while this database may not know what it has filed.

A database restored from a backup has forgotten what happened since. Its deliveries look unfinished, and
filing them again would put documents into Clio twice. So a mark outside the database says how far its log had
come (`portal.audit.mark`), and while the log does not hold the marked entry, nothing is filed. `manage.py
reconcile` compares with Clio and opens the gate again (docs/runbook.md).

The mark is carried on every few seconds, and always before a reservation is sent: what was begun at Clio and
is unknown to the database is therefore always beyond a mark that the database does not reach.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Subquery
from django.utils import timezone

from portal.audit import mark as marks
from portal.audit.entry import entry_hash
from portal.audit.events import Event
from portal.audit.log import Actor, record
from portal.audit.mark import Mark, UnreadableMark
from portal.audit.models import Entry, Head

MARK: Final = "mark.json"
CLOSED: Final = "closed"
LOCK: Final = "lock"


class Reason(StrEnum):
    """Why the gate is closed; each with the sentence that a page and a command show."""

    BY_HAND = "by_hand"
    BEHIND = "behind"
    OTHER = "other"
    UNREADABLE = "unreadable"
    MISSING = "missing"


SENTENCES: Final = {
    Reason.BY_HAND: "Filing was stopped by hand.",
    Reason.BEHIND: "The database was restored from a backup: it has forgotten what was filed since.",
    Reason.OTHER: "The database is not the one that filed last: its log tells another story.",
    Reason.UNREADABLE: "The mark of how far the log had come cannot be read.",
    Reason.MISSING: "The mark of how far the log had come is missing from DATA_DIR.",
}


@dataclass(frozen=True)
class Closed:
    """Nothing is filed, and why."""

    reason: Reason

    @property
    def sentence(self) -> str:
        return SENTENCES[self.reason]


@dataclass(frozen=True)
class _Standing:
    """What the database says of its log, read in one statement, so that no restore can fall in between."""

    log: str
    size: int
    last_hash: bytes
    marked: bytes | None  # the entry that the mark names
    keeps_marks: bool


def closed() -> Closed | None:
    """Why nothing may be filed now, or None while the gate is open. One small file and one query."""
    return _judge()[0]


def advance() -> Closed | None:
    """Carry the mark on to the log's newest entry, and say why not if the gate is closed.

    Only what is committed is marked: inside a transaction this marks nothing. Of several processes one writes
    at a time, and each looks at the mark of the others first, so it never goes back.
    """
    if connection.in_atomic_block:
        return closed()
    with _alone():
        shut, mark, standing = _judge()
        if shut is None and standing is not None:
            _carry_on(mark, standing)
    return shut


def close() -> None:
    """Close it by hand. A file of this name, made by anybody, does the same."""
    with _alone(), transaction.atomic():
        (folder() / CLOSED).touch(mode=0o600)
        marks.sync_folder(folder())
        record(Event.GATE_CLOSED, actor=Actor.system("operator"), subject=None, reason=Reason.BY_HAND.value)


def open_again() -> None:
    """This database was reconciled with Clio: it is the one that files from now on."""
    with _alone():
        standing = _standing(None)
        if standing is not None:
            _carry_on(None, standing)
        (folder() / CLOSED).unlink(missing_ok=True)
        marks.sync_folder(folder())


def lost_since() -> datetime | None:
    """The moment from which on the database may lack entries; None when that cannot be told."""
    try:
        mark = marks.read(folder() / MARK)
    except UnreadableMark:
        return None
    if mark is None or (folder() / CLOSED).exists():
        return None
    return Entry.objects.filter(at__lte=mark.at).order_by("-seq").values_list("at", flat=True).first()


def marked_at() -> datetime | None:
    """When the database that filed last was last seen at work."""
    try:
        mark = marks.read(folder() / MARK)
    except UnreadableMark:
        return None
    return mark.at if mark else None


def folder() -> Path:
    """Beside the blobs. Not to be restored from a backup: it would be as old as the database."""
    return Path(settings.DATA_DIR) / "gate"


def _judge() -> tuple[Closed | None, Mark | None, _Standing | None]:
    try:
        by_hand = (folder() / CLOSED).exists()
        mark = marks.read(folder() / MARK)
    except (UnreadableMark, OSError):
        return Closed(Reason.UNREADABLE), None, None
    standing = _standing(mark)
    shut = Reason.BY_HAND if by_hand else _doubt(mark, standing)
    return (Closed(shut) if shut else None), mark, standing


def _doubt(mark: Mark | None, standing: _Standing | None) -> Reason | None:
    if mark is None:
        return Reason.MISSING if standing is not None and standing.keeps_marks else None
    if standing is None or standing.size <= mark.entry:
        return Reason.BEHIND
    if standing.log != mark.log or standing.marked is None:
        return Reason.OTHER
    return None if entry_hash(standing.marked).hex() == mark.sha256 else Reason.OTHER


def _standing(mark: Mark | None) -> _Standing | None:
    """None for a log without an entry."""
    row = Head.objects.annotate(
        marked=Subquery(Entry.objects.filter(seq=mark.entry if mark else -1).values("body")[:1]),
        keeps_marks=Exists(Entry.objects.filter(event=Event.GATE_MARK_KEPT.value)),
    ).first()
    if row is None or not row.size:
        return None
    marked = bytes(row.marked) if row.marked is not None else None
    return _Standing(row.origin, row.size, bytes(row.last_hash), marked, row.keeps_marks)


def _carry_on(mark: Mark | None, standing: _Standing) -> None:
    newest = Mark(
        log=standing.log, entry=standing.size - 1, sha256=standing.last_hash.hex(), at=timezone.now()
    )
    if mark is None or mark.entry != newest.entry:
        marks.write(folder() / MARK, newest)
    if not standing.keeps_marks:
        # After the mark: a database that says there is one, without one, was moved away from it.
        with transaction.atomic():
            record(Event.GATE_MARK_KEPT, actor=Actor.system("gate"), subject=None)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time, also on several machines that share the folder."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder() / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
