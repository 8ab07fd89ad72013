"""Emptying a test database whose rows the database refuses to delete.

Tests in a transaction are rolled back and meet no trigger. Those that really commit (`transaction=True`,
`live_server`) end with a flush, and there the triggers have to stand aside for a moment. `allow_flush`
arranges that; `guards_down` is also how a test plays the database administrator who tampers with history.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

ALWAYS, ORIGIN = "A", "O"


@contextmanager
def guards_down(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Without any trigger of ours inside the block, and with exactly the same ones after it."""
    lowered = _lower_postgresql if connection.vendor == "postgresql" else _lower_sqlite
    raise_again = lowered(connection)
    try:
        yield
    finally:
        _run(connection, raise_again)


def allow_flush(patch: pytest.MonkeyPatch) -> None:
    """Let the flush after a committing test through."""
    tear_down = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def with_guards_down(case: Any) -> None:
        connection = connections["default"]
        with guards_down(connection):
            tear_down(case)

    patch.setattr(TransactionTestCase, "_fixture_teardown", with_guards_down)


def _lower_postgresql(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, t.tgname, t.tgenabled::text
               FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE NOT t.tgisinternal AND n.nspname = current_schema() AND t.tgenabled IN ('A', 'O')"""
        )
        triggers = cursor.fetchall()
    _run(connection, [f'ALTER TABLE "{table}" DISABLE TRIGGER "{name}"' for table, name, _ in triggers])
    mode = {ALWAYS: "ENABLE ALWAYS", ORIGIN: "ENABLE"}
    return [f'ALTER TABLE "{table}" {mode[enabled]} TRIGGER "{name}"' for table, name, enabled in triggers]


def _lower_sqlite(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    _run(connection, [f'DROP TRIGGER "{name}"' for name, _ in triggers])
    return [statement for _, statement in triggers]


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
