"""A million drafts that were approved and delivered: copies of one, made in the database by its own rules.

Every constraint and trigger stays on. One template row of each table is made as the portal makes it; its
copies differ in their ids, in what has to be unique, and in what the caller says in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import connection, models, transaction

from bench.figures import progress
from clio_sync.models import Approval, Delivery
from reviews.models import Decision, Draft, Version

FIRST_BATCH: Final = 1_000
BATCH: Final = 50_000
NUMBERS: Final = {
    "postgresql": "generate_series({first}, {last}) AS g(n)",
    "sqlite": "(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) "
    "SELECT n FROM c) AS g",
}
IDS: Final = {
    "postgresql": "(lpad(to_hex({kind}), 8, '0') || lpad(to_hex(g.n), 24, '0'))::uuid",
    "sqlite": "printf('%08x%024x', {kind}, g.n)",
}
KINDS: Final[dict[str, int]] = {"draft": 1, "version": 2, "decision": 3, "approval": 4, "delivery": 5}

Changes = Mapping[str, str]
"""Column to SQL, in which `g.n` is the number of the copy."""


def copy(
    template: Draft, *, first: int, count: int, draft: Changes | None = None, delivery: Changes | None = None,
    approval: Changes | None = None,
) -> None:  # fmt: skip
    """Copies number `first` and on. The template is an approved draft with its delivery."""
    latest, delivered = template.latest_version, template.delivery
    assert latest is not None and delivered is not None
    rows: list[tuple[models.Model, Changes]] = [
        (template, {"id": an("draft"), "latest_version_id": an("version"), "delivery_id": an("delivery")}),
        (latest, {"id": an("version"), "draft_id": an("draft")}),
        (Decision.objects.get(version=latest), {"id": an("decision"), "version_id": an("version")}),
        (
            delivered.approval,
            {"id": an("approval"), "draft_ref": an("draft"), "version_ref": an("version")},
        ),
        (
            delivered,
            {
                "id": an("delivery"),
                "approval_id": an("approval"),
                "version_ref": an("version"),
                "op_id": "'bulk-' || g.n",
            },
        ),
    ]
    told: dict[type[models.Model], Changes] = {
        Draft: draft or {},
        Version: {},
        Decision: {},
        Approval: approval or {},
        Delivery: delivery or {},
    }
    begin, size = first, FIRST_BATCH
    while begin < first + count:
        last = min(begin + size, first + count) - 1
        with transaction.atomic():
            for row, changes in rows:
                _insert(row, {**changes, **told[type(row)]}, first=begin, last=last)
        analyze()  # the triggers' plans depend on it
        progress(f"  {last - first + 1:>9,} of {count:,} rows on {connection.vendor}")
        begin, size = last + 1, BATCH


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def an(kind: str) -> str:
    """The id of the copy's row of this kind, as SQL."""
    return IDS[connection.vendor].format(kind=KINDS[kind])


def _insert(row: models.Model, changes: Changes, *, first: int, last: int) -> None:
    quote = connection.ops.quote_name
    table = quote(row._meta.db_table)
    columns = [str(field.column) for field in row._meta.local_concrete_fields]
    values = [changes.get(column, f"t.{quote(column)}") for column in columns]
    numbers = NUMBERS[connection.vendor].format(first=first, last=last)
    key = row._meta.pk
    assert key is not None
    assert key.column is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "
            f"SELECT {', '.join(values)} FROM {table} t, {numbers} WHERE t.{quote(key.column)} = %s",
            [key.get_db_prep_value(row.pk, connection)],
        )
