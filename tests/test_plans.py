"""What runs every few seconds reads what is under way, and never all that was ever filed.

By the databases' own plans, with enough history for them to care; no time decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import bulk
from clio_sync import claims, connections, sweeping
from clio_sync.models import Connection, Delivery
from reviews import outcomes
from reviews.models import Draft
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

GROWING = ("clio_sync_delivery", "clio_sync_approval", "reviews_draft", "reviews_version", "reviews_decision")
PARTIAL = ("delivery_due", "delivery_hold", "delivery_stuck", "draft_untold")
HISTORY, MOVING, STUCK = 4_000, 20, 20

UNDER_WAY = {
    "state": "'queued'",
    "hold": "''",
    "done_at": "NULL",
    "clio_document_id": "NULL",
    "sha256_sent": "''",
    "size_confirmed": "NULL",
}
WAITS = UNDER_WAY | {"hold": "'person'", "problem": "'refused'"}


@pytest.fixture
def history(cast: Cast, link: Connection) -> Draft:
    """Thousands of drafts that were filed long ago, and some that are not."""
    draft = factories.draft(submitter=cast.carol, place=factories.destination(link))
    delivery = factories.approved(draft, by=cast.alice)
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk).update(state="filed", clio_document_id=7, done_at=now)
    Draft.objects.filter(pk=draft.pk).update(outcome_told_at=now)
    draft = Draft.objects.select_related("latest_version", "delivery__approval").get(pk=draft.pk)
    untold = {"outcome_told_at": "NULL"}
    bulk.copy(draft, first=1, count=HISTORY)
    bulk.copy(draft, first=HISTORY + 1, count=MOVING, delivery=UNDER_WAY, draft=untold)
    bulk.copy(draft, first=HISTORY + MOVING + 1, count=STUCK, delivery=WAITS, draft=untold)
    return draft


@pytest.fixture
def link(cast: Cast) -> Connection:
    return factories.connection(connected_by=cast.dana, is_default=True)


def plan(sql: str) -> list[str]:
    how = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(how + sql)
        return [str(row[-1]) for row in cursor.fetchall()]


def walks_through_history(line: str, sql: str) -> bool:
    """Whether this step of a plan reads every row of a table that only grows."""
    walked = re.search(r"(?:Seq Scan on|SCAN) (\w+)", line)
    if walked is None or any(index in line for index in PARTIAL):
        return False
    return tables_called(walked[1], sql) <= set(GROWING)


def tables_called(name: str, sql: str) -> set[str]:
    """What a name in a plan stands for: SQLite tells aliases alone."""
    return set(re.findall(rf'"(\w+)" {name}\b', sql)) or {name}


@contextmanager
def read_from_indexes() -> Iterator[None]:
    with CaptureQueriesContext(connection) as asked:
        yield
    told = [query["sql"] for query in asked.captured_queries]
    asked_of_them = [sql for sql in told if sql.startswith(("SELECT", "UPDATE")) and _is_about_them(sql)]
    assert asked_of_them
    for sql in asked_of_them:
        assert not [line for line in plan(sql) if walks_through_history(line, sql)], (sql, plan(sql))


def _is_about_them(sql: str) -> bool:
    return any(table in sql for table in GROWING)


def sweep() -> None:
    sweeping.sweep()


def claim() -> None:
    due = Delivery.objects.due(timezone.now()).first()
    assert due is not None
    assert claims.claim(due.pk) is not None


def look_at_connections() -> None:
    (one,) = connections.listed()
    assert connections.waiting(one) == MOVING + STUCK


def look_at_what_is_stuck() -> None:
    stuck = Delivery.objects.stuck()
    assert len(stuck.order_by("created_at", "pk").values_list("pk")[:50]) == STUCK
    assert dict(stuck.order_by().values_list("problem").annotate(Count("pk"))) == {"refused": STUCK}


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("act", [sweep, claim, outcomes.hear, look_at_connections, look_at_what_is_stuck])
def test_what_was_filed_long_ago_is_not_read_again(
    act: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "ring", lambda delivery_id: None)
    with read_from_indexes():
        act()


def test_an_approval_is_not_looked_up_among_all_that_its_reviewer_decided(
    cast: Cast, link: Connection
) -> None:
    """The trigger behind the gate, planned without statistics: SQLite gathers none by itself."""
    draft = factories.draft(submitter=cast.carol, place=factories.destination(link))
    approval = factories.approved(draft, by=cast.alice).approval
    known = {"approved_by_id": approval.approved_by_id, "size": approval.size}
    gate = import_module("reviews.migrations.0004_history_costs_nothing")
    question = re.sub(r"NEW\.(\w+)", lambda name: f"'{known.get(name[1], uuid4())}'", gate.NO_RIGHTFUL_YES)
    assert not any("reviews_decision_reviewer_id" in line for line in plan(f"SELECT {question}"))
