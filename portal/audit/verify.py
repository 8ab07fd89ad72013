"""Recompute the log from its bytes and say where it first goes wrong.

What a VALID proves: the entries are all there from 0 to the head, in order, each in the one allowed form and
linked to the one before it, and every column and kept text matches the bytes. What it cannot prove while no
checkpoint is kept outside this server is in LIMITS, and everyone who is shown a verdict is shown that too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NoReturn

from django.db import DatabaseError
from django.db.models import CharField, Subquery

from portal.audit.columns import InstantAsWritten
from portal.audit.entry import NOTHING_BEFORE, NotCanonical, commitment, entry_hash, leaf_hash, parse
from portal.audit.models import Entry, Head, TextSecret

logger = logging.getLogger(__name__)

BATCH = 2000

LIMITS = (
    "This check compares the log with itself. Somebody who can rewrite the whole database could cut off the "
    "newest entries together with the head, or rewrite the log from some entry on. Until checkpoints are "
    "kept outside this server, keep the printed head elsewhere: it must reappear in every later log."
)


class State(StrEnum):
    VALID = "VALID"
    INVALID = "INVALID"
    UNCHECKED = "UNCHECKED"


class Finding(StrEnum):
    GAP = "gap"
    BYTES = "bytes"
    NUMBER = "number"
    LINK = "link"
    LEAF = "leaf"
    NAME = "name"
    COLUMN = "column"
    TEXT = "text"
    HEAD = "head"


@dataclass(frozen=True)
class Verdict:
    state: State
    entries: int  # how many are good, counted from the first
    head: str  # hex SHA-256 of the last good entry
    first_bad: int | None = None
    finding: Finding | None = None
    sentence: str = ""
    notes: tuple[str, ...] = ()
    limits: str = LIMITS

    @property
    def line(self) -> str:
        """`VALID 1234 entries, head ab12…`, or the fault."""
        told = f"{self.state} {self.entries} {'entry' if self.entries == 1 else 'entries'}, head {self.head}"
        return told if self.state is State.VALID else f"{told}\n{self.sentence}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"notes": list(self.notes)}


class Broken(Exception):
    """The log stops being true here."""

    def __init__(self, finding: Finding, at: int, sentence: str) -> None:
        super().__init__(sentence)
        self.finding, self.at, self.sentence = finding, at, sentence


@dataclass(frozen=True)
class Row:
    """One entry as the database hands it out; nothing in it is believed yet."""

    seq: int
    body: object
    leaf: object
    shown: dict[str, object]
    texts: tuple[tuple[str, object, str], ...] = ()  # field, salt, value


@dataclass
class Chain:
    """Follows the log row by row in constant memory."""

    origin: str
    size: int = 0
    last: bytes = NOTHING_BEFORE
    newest: str = ""
    backwards: list[int] = field(default_factory=list)

    def follow(self, row: Row) -> None:
        """Accept the next row or raise Broken."""
        if row.seq != self.size:
            self._break(Finding.GAP, f"Entry {self.size} is missing; the next one found is {row.seq}.")
        body = self._bytes(row.body, "bytes")
        said = self._said(body)
        self._in_line(said)
        if self._bytes(row.leaf, "leaf hash") != leaf_hash(body):
            self._break(
                Finding.LEAF, f"The leaf hash stored beside entry {self.size} is not that of its bytes."
            )
        self._columns(said, row.shown)
        self._texts(said, row.texts)
        self._clock(str(said.get("ts")))
        self.size, self.last = self.size + 1, entry_hash(body)

    def _said(self, body: bytes) -> dict[str, Any]:
        try:
            return parse(body)
        except NotCanonical as error:
            raise Broken(
                Finding.BYTES, self.size, f"Entry {self.size} is not in the form the log writes: {error}."
            ) from error

    def _in_line(self, said: dict[str, Any]) -> None:
        if said.get("seq") != str(self.size):
            self._break(Finding.NUMBER, f"Entry {self.size} calls itself {said.get('seq')!r}.")
        if said.get("prev") != self.last.hex():
            before = f"entry {self.size - 1}" if self.size else "the beginning"
            self._break(
                Finding.LINK, f"Entry {self.size} does not follow {before}: one of the two was changed."
            )
        if said.get("log") != self.origin:
            self._break(Finding.NAME, f"Entry {self.size} belongs to another log: {said.get('log')!r}.")

    def _columns(self, said: dict[str, Any], shown: dict[str, object]) -> None:
        for column, value in _should_show(said).items():
            if column in shown and shown[column] != value:
                self._break(
                    Finding.COLUMN,
                    f"The column {column} shown beside entry {self.size} is not what its bytes say.",
                )

    def _texts(self, said: dict[str, Any], texts: Iterable[tuple[str, object, str]]) -> None:
        sealed = _part(said, "texts")
        for name, salt, value in texts:
            if not isinstance(value, str) or commitment(self._bytes(salt, "salt"), value) != sealed.get(name):
                self._break(
                    Finding.TEXT,
                    f"The text {name!r} kept beside entry {self.size} is not the one it was sealed with.",
                )

    def _clock(self, moment: str) -> None:
        if moment < self.newest:
            self.backwards.append(self.size)
            del self.backwards[10:]
        self.newest = max(self.newest, moment)

    def _bytes(self, value: object, what: str) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            self._break(Finding.BYTES, f"The {what} of entry {self.size} is not stored as bytes.")
        return bytes(value)

    def _break(self, finding: Finding, sentence: str) -> NoReturn:
        raise Broken(finding, self.size, sentence)


def verify() -> Verdict:
    """Check the whole log in the database; memory does not grow with its length."""
    chain = Chain(origin="")
    try:
        _check(chain)
    except Broken as broken:
        return _verdict(chain, State.INVALID, broken)
    except DatabaseError as error:
        logger.warning("The audit log could not be read.", exc_info=True)
        reason = f"The log could not be read, so it was not checked: {type(error).__name__}."
        return Verdict(State.UNCHECKED, chain.size, chain.last.hex(), sentence=reason)
    return _verdict(chain, State.VALID)


def _check(chain: Chain) -> None:
    """Up to the head as it is now. Entries added meanwhile are beyond it, and wait for the next check."""
    head = Head.objects.first()
    if head is None:
        _no_entries_either()
        return
    chain.origin = head.origin
    for row in _rows(below=head.size):
        chain.follow(row)
    if chain.size != head.size:
        raise Broken(
            Finding.GAP,
            chain.size,
            f"The head counts {head.size} entries, but entry {chain.size} and later are gone.",
        )
    if chain.last != _as_bytes(head.last_hash):
        raise Broken(Finding.HEAD, max(chain.size - 1, 0), "The head does not name the last entry.")
    _nothing_beyond_the_head()


def _no_entries_either() -> None:
    if Entry.objects.exists():
        raise Broken(Finding.HEAD, 0, "There are entries, but the head of the log is gone.")


def _nothing_beyond_the_head() -> None:
    """One statement, so that a writer between two reads cannot look like a fault."""
    size = Subquery(Head.objects.values("size")[:1])
    beyond = Entry.objects.filter(seq__gte=size).order_by("seq").values_list("seq", flat=True).first()
    if beyond is not None:
        raise Broken(Finding.HEAD, beyond, f"Entry {beyond} stands beyond the end that the head names.")


SHOWN = ("event", "outcome", "actor_type", "actor_id", "on_behalf_of", "object_type", "object_id", "corr")


def _rows(*, below: int) -> Iterator[Row]:
    entries = Entry.objects.annotate(at_written=InstantAsWritten("at", output_field=CharField())).order_by(
        "seq"
    )
    columns = entries.filter(seq__lt=below).values_list("seq", "body", "leaf", "at_written", *SHOWN)
    batch = list(columns[:BATCH])
    while batch:
        texts = _texts(batch[0][0], batch[-1][0])
        for seq, body, leaf, at, *shown in batch:
            yield Row(
                seq, body, leaf, {"at": at, **dict(zip(SHOWN, shown, strict=True))}, tuple(texts.get(seq, ()))
            )
        batch = list(columns.filter(seq__gt=batch[-1][0])[:BATCH])


def _texts(first: int, last: int) -> dict[int, list[tuple[str, object, str]]]:
    found: dict[int, list[tuple[str, object, str]]] = {}
    kept = TextSecret.objects.filter(seq__range=(first, last)).values_list("seq", "field", "salt", "value")
    for seq, name, salt, value in kept.iterator(BATCH):
        found.setdefault(seq, []).append((name, salt, value))
    return found


def _should_show(said: dict[str, Any]) -> dict[str, object]:
    actor, about = _part(said, "actor"), _part(said, "object")
    return {
        "at": said.get("ts"),
        "event": said.get("event"),
        "outcome": said.get("outcome"),
        "actor_type": actor.get("type"),
        "actor_id": actor.get("id"),
        "on_behalf_of": actor.get("on_behalf_of"),
        "object_type": about.get("type"),
        "object_id": about.get("id"),
        "corr": said.get("corr"),
    }


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    inner = said.get(name)
    return inner if isinstance(inner, dict) else {}


def _verdict(chain: Chain, state: State, broken: Broken | None = None) -> Verdict:
    notes = tuple(f"The server's clock went back before entry {seq}." for seq in chain.backwards)
    if broken is None:
        return Verdict(state, chain.size, chain.last.hex(), notes=notes)
    return Verdict(state, chain.size, chain.last.hex(), broken.at, broken.finding, broken.sentence, notes)


def _as_bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else b""
