"""The log as a file: exact bytes for machines and proof, a table for people. Both stream in constant memory.

Exporting is itself an act that the log tells of, first: how many entries, which choice, and why.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from portal.audit.events import Event
from portal.audit.filters import Filter
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry, EntryQuerySet, Head
from portal.audit.sentences import Names, names_for, sentence, who

BATCH = 500

TITLES = [
    "Number",
    "Time (UTC)",
    "What happened",
    "Event",
    "Outcome",
    "Who",
    "Who (type)",
    "Who (id)",
    "Roles then",
    "On behalf of (id)",
    "About (type)",
    "About (id)",
    "Belongs to",
    "Facts",
    "SHA-256 of the entry",
]


class Format(models.TextChoices):
    CSV = "csv", "Table for people (CSV)"
    JSONL = "jsonl", "Exact entries for proof (JSON Lines)"


@dataclass(frozen=True)
class Export:
    """A choice of entries, closed when it was made: what comes later is not in it."""

    entries: EntryQuerySet
    count: int
    format: Format
    up_to: int

    @property
    def file_name(self) -> str:
        return f"audit-log-to-{self.up_to}.{self.format.value}"

    @property
    def media_type(self) -> str:
        return "text/csv; charset=utf-8" if self.format is Format.CSV else "application/jsonl"

    def chunks(self) -> Iterator[bytes]:
        return _table(self.entries) if self.format is Format.CSV else _lines(self.entries)


def export(chosen: Filter, *, format: Format, reason: str, actor: Actor) -> Export:  # noqa: A002
    """Record the export and hand back what to stream. `up_to` is the number of the first entry left out."""
    head = Head.objects.first()
    up_to = head.size if head else 0
    entries = chosen.apply(Entry.objects.filter(seq__lt=up_to))
    count = entries.count()
    with transaction.atomic():
        record(
            Event.AUDIT_EXPORTED,
            actor=actor,
            subject=Subject("export", f"to-{up_to}"),
            texts={"reason": reason, "filter": chosen.query},
            format=format.value,
            entries=count,
            withheld=up_to - count,
            filter_sha256=chosen.digest,
            up_to=up_to,
        )
    return Export(entries, count, format, up_to)


def _lines(entries: EntryQuerySet) -> Iterator[bytes]:
    """One entry a line, byte for byte. No entry holds a line break: the form of its JSON has none."""
    for batch in entries.in_order(batch=BATCH):
        yield b"".join(entry.exact_bytes + b"\n" for entry in batch)


def _table(entries: EntryQuerySet) -> Iterator[bytes]:
    # The mark at the start makes spreadsheets read UTF-8.
    yield b"\xef\xbb\xbf" + _csv([TITLES])
    for batch in entries.in_order(batch=BATCH):
        names = names_for(batch)
        yield _csv([_row(entry, names) for entry in batch])


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


# What makes a spreadsheet run a cell as a formula, also in the wide forms of East Asian input.
_FORMULA = tuple("=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20")


def safe_cell(text: str) -> str:
    """The text as a spreadsheet shows it and never runs it: an apostrophe stands before a likely formula."""
    return f"'{text}" if text.lstrip(" \u00a0\u3000").startswith(_FORMULA) else text


def _row(entry: Entry, names: Names) -> list[str]:
    said = entry.content
    return [
        str(entry.seq),
        _text(said, "ts"),
        sentence(entry, names),
        _text(said, "event"),
        _text(said, "outcome"),
        who(entry, names),
        _text(said, "actor", "type"),
        _text(said, "actor", "id"),
        _text(said, "actor", "roles"),
        _text(said, "actor", "on_behalf_of"),
        _text(said, "object", "type"),
        _text(said, "object", "id"),
        _text(said, "corr"),
        json.dumps(said.get("detail", {}), ensure_ascii=False, sort_keys=True),
        entry.hash.hex(),
    ]


def _text(said: Any, *path: str) -> str:
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said or "")
