"""Migration operations for rows that the database itself refuses to change, on PostgreSQL and SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations

Editor = Any  # BaseDatabaseSchemaEditor; `execute` differs in its stubs by vendor


def by_vendor(
    *, postgresql: list[str], sqlite: list[str], undo: dict[str, list[str]]
) -> migrations.RunPython:
    """Run one list of statements or the other; `undo` holds the way back, by vendor."""

    def run(statements: dict[str, list[str]]) -> Callable[[Any, Editor], None]:
        def apply(apps: Any, editor: Editor) -> None:
            for statement in statements[editor.connection.vendor]:
                editor.execute(statement, params=None)

        return apply

    return migrations.RunPython(run({"postgresql": postgresql, "sqlite": sqlite}), run(undo))


def append_only(table: str) -> migrations.RunPython:
    """Refuse UPDATE, DELETE and TRUNCATE of `table`.

    SQLite's `INSERT OR REPLACE` is refused too, because the connection sets `recursive_triggers`.
    On PostgreSQL the triggers are ENABLE ALWAYS, so that `session_replication_role` does not switch them off.
    """
    return by_vendor(
        postgresql=[
            f"""CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION '{table} is append-only: % refused', TG_OP; END $$""",
            f"""CREATE TRIGGER {table}_row BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION {table}_refuse()""",
            f"""CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()""",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_row",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_truncate",
        ],
        sqlite=[
            f"""CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table}
                BEGIN SELECT RAISE(ABORT, '{table} is append-only: {event} refused'); END"""
            for event in ("UPDATE", "DELETE")
        ],
        undo={
            "postgresql": [
                f"DROP TRIGGER {table}_row ON {table}",
                f"DROP TRIGGER {table}_truncate ON {table}",
                f"DROP FUNCTION {table}_refuse()",
            ],
            "sqlite": [f"DROP TRIGGER {table}_update", f"DROP TRIGGER {table}_delete"],
        },
    )


def guard(*, name: str, table: str, event: str, refuse_when: str, message: str) -> migrations.RunPython:
    """Refuse `event` (INSERT, UPDATE, DELETE) on `table` for each row where the SQL `refuse_when` holds.

    `refuse_when` is written in SQL that both databases read, over NEW and OLD.
    """
    row = "OLD" if event == "DELETE" else "NEW"
    return by_vendor(
        postgresql=[
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN IF {refuse_when} THEN RAISE EXCEPTION '{message}'; END IF; RETURN {row}; END $$""",
            f"""CREATE TRIGGER {name} BEFORE {event} ON {table}
                FOR EACH ROW EXECUTE FUNCTION {name}()""",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ],
        sqlite=[
            f"""CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {refuse_when}
                BEGIN SELECT RAISE(ABORT, '{message}'); END"""
        ],
        undo={
            "postgresql": [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"],
            "sqlite": [f"DROP TRIGGER {name}"],
        },
    )


def unguard(*, name: str, table: str) -> migrations.RunPython:
    """Take a guard away, in the migration that puts another in its place. There is no way back on its own."""
    gone = {
        "postgresql": [f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"],
        "sqlite": [f"DROP TRIGGER {name}"],
    }
    return by_vendor(
        postgresql=gone["postgresql"], sqlite=gone["sqlite"], undo={"postgresql": [], "sqlite": []}
    )
