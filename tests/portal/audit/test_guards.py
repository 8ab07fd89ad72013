"""What the database itself refuses, for the account the portal runs under."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from portal.audit.entry import canonical, entry_hash, leaf_hash
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry, Head, TextSecret

SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def entries(db: None) -> list[Entry]:
    """Three entries, the last of them with a text."""
    subject = Subject("draft", 1)
    first = [record(Event.DRAFT_OPENED, actor=SYSTEM, subject=subject) for _ in range(2)]
    return [*first, record(Event.DRAFT_RETURNED, actor=SYSTEM, subject=subject, texts={"reason": "No."})]


def next_entry(**changes: object) -> dict[str, Any]:
    """The values of the entry that would come next, but for `changes` to what its bytes say."""
    head = Head.objects.get()
    last = Entry.objects.latest("seq").content
    said = {**last, "seq": str(head.size), "prev": bytes(head.last_hash).hex(), "texts": {}, **changes}
    body = canonical(said)
    return {"seq": head.size, "body": body, "leaf": leaf_hash(body)}


def insert(verb: str, tail: str = "", **changes: object) -> Callable[[], None]:
    def run() -> None:
        row: dict[str, Any] = {**next_entry(), **changes}
        with connection.cursor() as cursor:
            cursor.execute(
                f"{verb} INTO audit_entry (seq, body, leaf) VALUES (%s, %s, %s) {tail}",
                [row["seq"], row["body"], row["leaf"]],
            )

    return run


def sql(statement: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def refused(act: Callable[[], object]) -> None:
    """`act` raises, and not a byte of the log is different afterwards."""
    before = contents()
    with pytest.raises(DatabaseError), transaction.atomic():
        act()
    assert contents() == before


def contents() -> list[list[object]]:
    tables = [(Entry, ("seq", "body", "leaf", "event")), (Head, ("origin", "size", "last_hash"))]
    found = [list(model._default_manager.order_by("pk").values_list(*columns)) for model, columns in tables]
    return [[*map(str, rows)] for rows in found]


STATEMENTS = {
    "UPDATE": sql("UPDATE audit_entry SET leaf = leaf WHERE seq = 1"),
    "UPDATE of the key": sql("UPDATE audit_entry SET seq = 7 WHERE seq = 2"),
    "UPDATE of a shown column": sql("UPDATE audit_entry SET event = 'draft.approved'"),
    "DELETE of the last": sql("DELETE FROM audit_entry WHERE seq = 2"),
    "DELETE of all": sql("DELETE FROM audit_entry"),
    "INSERT of a number again": insert("INSERT", seq=1),
    "INSERT after a gap": insert("INSERT", seq=4),
    "INSERT before the first": insert("INSERT", seq=-1),
    "INSERT of what is not JSON": insert("INSERT", body=b"{nonsense"),
    "INSERT of too much": insert("INSERT", body=b'{"a":"' + b"x" * 9000 + b'"}'),
    "INSERT with half a leaf": insert("INSERT", leaf=b"short"),
    "upsert": insert("INSERT", "ON CONFLICT (seq) DO UPDATE SET body = excluded.body", seq=1),
    "UPDATE of the head": sql("UPDATE audit_head SET size = 1"),
    "UPDATE of the head without an entry": sql("UPDATE audit_head SET size = size + 1"),
    "UPDATE of the log's name": sql("UPDATE audit_head SET origin = 'other', size = size + 1"),
    "DELETE of the head": sql("DELETE FROM audit_head"),
    "second head": sql("INSERT INTO audit_head (id, origin, size, last_hash) VALUES (1, 'x', 0, '')"),
    "UPDATE of a text": sql("UPDATE audit_textsecret SET value = 'Yes.'"),
}
SQLITE = {
    "INSERT OR REPLACE": insert("INSERT OR REPLACE", seq=1),
    "REPLACE": insert("REPLACE", seq=2),
    "REPLACE through the row id": sql(
        "INSERT OR REPLACE INTO audit_entry (rowid, body, leaf) SELECT 1, body, leaf FROM audit_entry"
    ),
    "UPDATE OR REPLACE": sql("UPDATE OR REPLACE audit_entry SET seq = 1 WHERE seq = 2"),
    "REPLACE of the head": sql(
        "REPLACE INTO audit_head (id, origin, size, last_hash) VALUES (0, 'x', 0, x'')"
    ),
}
POSTGRESQL = {
    "TRUNCATE": sql("TRUNCATE audit_entry"),
    "TRUNCATE of the head": sql("TRUNCATE audit_head"),
    "TRUNCATE of all": sql("TRUNCATE audit_entry, audit_head, audit_textsecret"),
    "MERGE": sql(
        "MERGE INTO audit_entry e USING (SELECT 1) s ON seq = 1 WHEN MATCHED THEN UPDATE SET leaf = ''"
    ),
    "UPDATE as a replica": sql(
        "SET LOCAL session_replication_role = replica; UPDATE audit_entry SET leaf = ''"
    ),
    "INSERT with another leaf": insert("INSERT", leaf=b"\x01" * 32),
}
OF_THIS_DATABASE = STATEMENTS | (POSTGRESQL if connection.vendor == "postgresql" else SQLITE)


@pytest.mark.parametrize("statement", OF_THIS_DATABASE)
def test_the_database_refuses(statement: str) -> None:
    refused(OF_THIS_DATABASE[statement])


def test_the_same_insert_is_taken_when_it_is_in_line() -> None:
    insert("INSERT")()
    assert Entry.objects.count() == 4


@pytest.mark.parametrize("changes", [{"seq": "9"}, {"prev": "00" * 32}, {"log": "elsewhere/audit/1"}])
def test_an_entry_whose_bytes_are_out_of_line_is_refused(changes: dict[str, object]) -> None:
    refused(lambda: Entry.objects.create(**next_entry(**changes)))


def test_bulk_acts_of_the_orm_are_refused() -> None:
    refused(lambda: Entry.objects.update(leaf=b""))
    refused(lambda: Entry.objects.filter(seq=2).delete())
    refused(lambda: Entry.objects.latest("seq").delete())
    refused(lambda: Entry.objects.latest("seq").save())
    refused(lambda: Entry.objects.bulk_update(Entry.objects.all(), ["leaf"]))
    refused(
        lambda: Entry.objects.bulk_create(
            [Entry(seq=1, body=b"{}", leaf=leaf_hash(b"{}"))],
            update_conflicts=True,
            update_fields=["body"],
            unique_fields=["seq"],
        )
    )
    refused(lambda: Head.objects.update(size=0))


def test_a_head_may_take_the_one_step_and_no_other() -> None:
    row = next_entry()
    Entry.objects.create(**row)
    Head.objects.update(size=4, last_hash=entry_hash(row["body"]))
    refused(lambda: Head.objects.update(size=5))
    refused(lambda: Head.objects.update(size=3))


def test_a_text_can_be_forgotten() -> None:
    TextSecret.objects.all().delete()
    assert not TextSecret.objects.exists()
