"""The key of an entry, and database expressions that read columns out of its bytes.

The expressions feed generated columns, so what a page filters on is computed by the database from what the
log committed to. On PostgreSQL they call two functions that the first migration creates: the built-in
conversions depend on session settings as far as PostgreSQL knows, and a generated column accepts none such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Func, Value
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    Number = BigIntegerField[int, int]
else:
    Number = BigIntegerField

Compiled = tuple[str, tuple[str | int, ...]]


class SequenceField(Number):
    """A number the writer chooses, as primary key.

    On SQLite it is spelled `integer`, which makes it the row id itself. Any other spelling leaves a second,
    hidden row id, and INSERT OR REPLACE could then overwrite a row through it.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class BodyText(Func):
    """The text at `path` (as `object.type`) in the JSON of a binary column, or null."""

    def __init__(self, column: Any, path: str, **extra: Any) -> None:
        super().__init__(column, Value(path), **extra)
        self.path = path

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Compiled:
        return self.as_sql(compiler, connection, template="audit_text(%(expressions)s)", **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Compiled:
        column, params = compiler.compile(self.get_source_expressions()[0])
        return f"json_extract(CAST({column} AS TEXT), %s)", (*params, f"$.{self.path}")


class BodyInstant(Func):
    """The moment in `ts` of the JSON of a binary column."""

    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Compiled:
        return self.as_sql(compiler, connection, template="audit_instant(%(expressions)s)", **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Compiled:
        # As Django keeps a moment on SQLite: 2026-11-21 10:00:00.000000
        template = "replace(substr(json_extract(CAST(%(expressions)s AS TEXT), '$.ts'), 1, 26), 'T', ' ')"
        return self.as_sql(compiler, connection, template=template, **context)


class InstantAsWritten(Func):
    """A moment in a column, as an entry writes it. As text, it cannot make a reader stumble."""

    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Compiled:
        template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Compiled:
        template = "replace(CAST(%(expressions)s AS TEXT), ' ', 'T') || 'Z'"
        return self.as_sql(compiler, connection, template=template, **context)
