"""After a restored backup: comparing this database with Clio, before anything is filed again.

1. Every delivery that is not over here is looked up at Clio, by its operation id and its recorded document.
   What is finished there is filed; what is unfinished is adopted; the rest goes on from where it stands.
2. Documents whose operation nobody here knows were approved after the backup. Their versions, if this
   database has them, are kept from being approved a second time.
3. Only then the gate opens, and not while anything could not be known, unless the operator takes that on.

All of it may be stopped and run again: what is done is not done twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from clio_sync import regions, timing
from clio_sync.api.client import ClioClient
from clio_sync.api.errors import ClioError
from clio_sync.calls import client_for
from clio_sync.limits import Priority
from clio_sync.models import Connection, Delivery
from clio_sync.patience import Patience
from clio_sync.reconciling.finding import Versions, find_documents, find_versions, keep
from clio_sync.reconciling.probing import search_is_true
from clio_sync.reconciling.report import Report, Result, Verdict
from clio_sync.reconciling.settling import AN_HOUR, RECONCILE, look_before_reserving, preview, settle
from portal import gate
from portal.audit.events import Event
from portal.audit.log import record

Status = Connection.Status
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the operator asked for."""

    since: datetime | None = None  # documents created earlier are not looked at; None: all
    dry_run: bool = False
    accept_unknown: bool = False


def reconcile(wishes: Wishes, *, versions: Versions, say: Say) -> Report:
    """Compare, put right, and open the gate if nothing is left unknown. `say` is told how it goes."""
    closed, report = gate.closed(), Report()
    _let_calls_end(say)
    accounts: set[tuple[str, int]] = set()
    for connection in Connection.objects.order_by("connected_at"):
        if connection.status == Status.ACTIVE:
            is_first = (connection.region, connection.account_id) not in accounts
            accounts.add((connection.region, connection.account_id))
            _compare(connection, wishes, report, versions=versions, say=say, with_versions=is_first)
        elif connection.status == Status.NEEDS_RECONNECTING:
            report.unknown.append(f"The connection to {connection} needs reconnecting, so it was not asked.")
    if not wishes.dry_run and (report.is_complete or wishes.accept_unknown):
        _open(report, wishes, closed, say)
    return report


def _let_calls_end(say: Say) -> None:
    """What was on its way when the database was last at work is over after this."""
    marked = gate.marked_at()
    wait = (marked + timing.QUIESCE - timezone.now()).total_seconds() if marked else 0.0
    if wait > 0:
        say(f"Waiting {wait:.0f} s for calls that may still be on their way to Clio.")
        time.sleep(wait)


def _compare(
    connection: Connection,
    wishes: Wishes,
    report: Report,
    *,
    versions: Versions,
    say: Say,
    with_versions: bool,
) -> None:
    say(f"{connection} as {connection.clio_user_name}")
    turns = Patience(AN_HOUR).turns(connection.pk, Priority.CONFIRM)
    try:
        with client_for(connection, before_call=turns) as clio:
            if not search_is_true(clio, connection):
                report.unknown.append(
                    f"Clio's search at {connection} does not find what is known to be filed."
                )
            _settle_deliveries(clio, connection, wishes, report, say)
            _find(clio, connection, wishes, report, versions=versions, say=say, with_versions=with_versions)
    except ClioError as error:
        report.unknown.append(f"The comparison with {connection} broke off. {error.sentence}")
    except regions.RegionNotReady as error:
        report.unknown.append(f"{connection} was not asked. {error}")


def _settle_deliveries(
    clio: ClioClient, connection: Connection, wishes: Wishes, report: Report, say: Say
) -> None:
    open_ones = connection.deliveries.filter(state__in=Delivery.RUNNING).order_by("created_at")
    rows = list(open_ones.select_related("approval", "connection"))
    for number, delivery in enumerate(rows, start=1):
        line = preview(clio, delivery) if wishes.dry_run else settle(delivery)
        report.deliveries.append(line)
        say(f"  delivery {number} of {len(rows)}: {line.op_id} {line.state}, {line.result.value}")
        if line.result is Result.UNKNOWN:
            report.unknown.append(f"The delivery {line.op_id} could not be looked up. {line.note}".strip())


def _find(
    clio: ClioClient,
    connection: Connection,
    wishes: Wishes,
    report: Report,
    *,
    versions: Versions,
    say: Say,
    with_versions: bool,
) -> None:
    found = list(find_documents(clio, connection, since=wishes.since, versions=versions))
    if with_versions:
        found += find_versions(clio, connection, versions=versions)
    for one in found:
        if one.line.verdict is Verdict.NOT_OURS:
            continue
        if one.is_filed and not wishes.dry_run:
            keep(one, connection)
        report.documents.append(one.line)
        say(f"  document {one.line.document_id}: {one.line.verdict.value}")


def _open(report: Report, wishes: Wishes, closed: gate.Closed | None, say: Say) -> None:
    for delivery in _not_looked_up(report):
        report.deliveries.append(look_before_reserving(delivery))
    results = report.results
    with transaction.atomic():
        record(
            Event.RECONCILE_FINISHED,
            actor=RECONCILE,
            subject=None,
            opened=True,
            reason=closed.reason.value if closed else None,
            since=wishes.since,
            deliveries=len(report.deliveries),
            filed=results[Result.FILED],
            adopted=results[Result.ADOPTED],
            needs_person=results[Result.NEEDS_PERSON],
            found=len(report.documents),
            unknown=len(report.unknown),
        )
    gate.open_again()
    report.opened = True


def _not_looked_up(report: Report) -> list[Delivery]:
    known = {line.op_id for line in report.deliveries if line.result is not Result.UNKNOWN}
    begun_nowhere = Delivery.objects.filter(state=Delivery.State.QUEUED).exclude(op_id__in=known)
    before = begun_nowhere.filter(connection__status__in=[Status.NEEDS_RECONNECTING, Status.DISCONNECTED])
    asked_in_vain = {line.op_id for line in report.deliveries if line.result is Result.UNKNOWN}
    return list(before | begun_nowhere.filter(op_id__in=asked_in_vain))
