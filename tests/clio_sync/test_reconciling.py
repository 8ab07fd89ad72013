"""After a restored backup. The sandbox stands for the time after the backup; the rows are put back by hand.

The whole of it, with real backups on both databases, is tests/journeys/test_restore.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from clio_sync.api import wire
from clio_sync.api.wire import Parent, ParentType
from clio_sync.calls import client_for
from clio_sync.elsewhere import FiledBefore, filed_before
from clio_sync.filing.reserving import OPERATION, VERSION
from clio_sync.models import Connection, Delivery, FiledElsewhere, RateState, new_op_id
from clio_sync.reconciling import Wishes, reconcile
from clio_sync.reconciling.report import Report, Result, Verdict
from portal import gate
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.models import Entry
from reviews.attestation import STATEMENTS
from reviews.models import Draft
from reviews.reconciliation import DraftVersions
from tests import factories
from tests.append_only import guards_down
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, office
from tests.sandbox_process import BOB, SandboxProcess

State, Hold = Delivery.State, Delivery.Hold


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


@pytest.fixture(autouse=True)
def _closed() -> None:
    gate.folder().mkdir(parents=True, exist_ok=True)


def close() -> None:
    (gate.folder() / gate.CLOSED).touch()


def compare(**wishes: Any) -> Report:
    close()
    return reconcile(Wishes(**wishes), versions=DraftVersions(), say=lambda line: None)


def died_at(firm: Office, point: str, **place: Any) -> Delivery:
    """A delivery as a worker that died there left it, some time ago."""
    delivery = firm.approved(**place)
    with dying_at(point), pytest.raises(Died):
        firm.work(delivery)
    firm.later(delivery)
    delivery.refresh_from_db()
    return delivery


KEPT = [field.name for field in Delivery._meta.concrete_fields if field.name not in {"id", "approval"}]


def as_it_was(delivery: Delivery) -> dict[str, Any]:
    return dict(Delivery.objects.filter(pk=delivery.pk).values(*KEPT)[0])


def restore(delivery: Delivery, row: dict[str, Any]) -> None:
    connection.check_constraints()  # PostgreSQL alters no table that still has constraints to check
    with guards_down(connection):
        Delivery.objects.filter(pk=delivery.pk).update(**row)
        connection.check_constraints()
    delivery.refresh_from_db()


def refresh(*rows: Delivery) -> None:
    for row in rows:
        row.refresh_from_db()


def result_of(report: Report, delivery: Delivery) -> Result:
    (line,) = [line for line in report.deliveries if line.op_id == delivery.op_id]
    return line.result


# What the backup took for unfinished


POINTS = ["C04", "C05", "C07", "C09", "C11", "C13", "C15"]


@pytest.mark.parametrize("point", POINTS)
def test_what_was_filed_after_the_backup_is_filed_here_too(firm: Office, point: str) -> None:
    delivery = died_at(firm, point)
    backup = as_it_was(delivery)
    firm.work_until_done(delivery)
    document = delivery.clio_document_id
    restore(delivery, backup)

    report = compare()

    refresh(delivery)
    assert result_of(report, delivery) is Result.FILED
    assert (delivery.state, delivery.clio_document_id) == (State.FILED, document)
    assert delivery.sha256_sent == delivery.approval.sha256
    assert firm.events(delivery)[-2:] == [Event.DELIVERY_FILED, Event.DELIVERY_RECONCILED]
    assert report.opened
    assert gate.closed() is None
    assert len(firm.visible()) == 1


def test_what_never_began_goes_on_from_where_it_stands(firm: Office) -> None:
    delivery = firm.approved()
    before = as_it_was(delivery)
    close()
    firm.work(delivery)
    report = compare()
    after = as_it_was(delivery)
    assert result_of(report, delivery) is Result.GOES_ON
    assert {name for name in KEPT if before[name] != after[name]} == {"fence"}
    assert firm.work(delivery).state == State.FILED
    assert len(firm.visible()) == 1


@pytest.mark.parametrize("backup", ["queued", "reserving"])
def test_an_unfinished_document_is_adopted(firm: Office, backup: str) -> None:
    delivery = firm.approved()
    row = as_it_was(delivery) if backup == "queued" else {}
    with dying_at("C09" if backup == "queued" else "C07"), pytest.raises(Died):
        firm.work(delivery)
    if row:
        restore(delivery, row)
    firm.later(delivery)
    (unfinished,) = firm.unfinished()

    report = compare()

    refresh(delivery)
    assert result_of(report, delivery) is Result.ADOPTED
    assert (delivery.state, delivery.clio_document_id) == (State.RESERVED, unfinished["id"])
    firm.work_until_done(delivery)
    assert [document["id"] for document in firm.visible()] == [unfinished["id"]]
    assert firm.unfinished() == []


def test_a_document_that_took_the_place_of_the_recorded_one_is_the_one(firm: Office) -> None:
    """The backup knows the first attempt; after it the portal gave that up and filed a second one."""
    delivery = died_at(firm, "C09")
    backup, first = as_it_was(delivery), delivery.clio_document_id
    Delivery.objects.filter(pk=delivery.pk).update(state=State.ABANDONING)
    firm.work_until_done(delivery)
    second = delivery.clio_document_id
    assert first != second
    restore(delivery, backup)

    report = compare()

    refresh(delivery)
    assert result_of(report, delivery) is Result.FILED
    assert delivery.clio_document_id == second
    assert len(firm.visible()) == 1


def test_a_delivery_that_waits_for_a_person_is_looked_up_and_keeps_waiting(firm: Office) -> None:
    stuck = firm.approved()
    Delivery.objects.filter(pk=stuck.pk).update(hold=Hold.PERSON, problem="forbidden", attempts=3)
    report = compare()
    refresh(stuck)
    assert result_of(report, stuck) is Result.GOES_ON
    assert (stuck.hold, stuck.problem, stuck.attempts) == (Hold.PERSON, "forbidden", 3)


def test_a_copy_that_somebody_else_made_is_not_adopted(firm: Office) -> None:
    """Somebody copied an operation id onto a document of their own, finished and in the right matter."""
    delivery = firm.approved()
    foreign(firm, op_id=delivery.op_id, version=str(delivery.version_ref), user=BOB)
    report = compare()
    refresh(delivery)
    assert result_of(report, delivery) is Result.GOES_ON
    assert firm.work(delivery).state == State.FILED


def test_two_finished_documents_are_a_persons_decision(firm: Office) -> None:
    delivery = firm.approved()
    for _ in range(2):
        foreign(firm, op_id=delivery.op_id, version=str(delivery.version_ref))
    report = compare()
    refresh(delivery)
    assert result_of(report, delivery) is Result.NEEDS_PERSON
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, "two_found")
    assert report.opened, "a person's decision does not keep everybody else waiting"


def test_other_bytes_under_our_name_are_a_persons_decision(firm: Office) -> None:
    delivery = firm.approved(b"what was approved")
    foreign(firm, op_id=delivery.op_id, version=str(delivery.version_ref), content=b"what was APPROVED")
    report = compare()
    refresh(delivery)
    assert result_of(report, delivery) is Result.NEEDS_PERSON
    assert delivery.problem == "content_differs"


def test_a_new_version_that_was_filed_after_the_backup_is_known_by_its_bytes(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    revised = firm.approved(b"second", document_id=original.clio_document_id)
    backup = as_it_was(revised)
    firm.work(revised)
    uuid = revised.clio_version_uuid
    restore(revised, backup)

    report = compare()

    refresh(revised)
    assert result_of(report, revised) is Result.FILED
    assert (revised.state, revised.clio_version_uuid) == (State.FILED, uuid)
    (document,) = firm.visible()
    assert len(document["versions"]) == 2


def test_somebody_elses_new_version_of_the_same_length_is_not_ours(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    revised = firm.approved(b"second", document_id=original.clio_document_id)
    other = firm.work(firm.approved(b"SECOND", document_id=original.clio_document_id))
    Delivery.objects.filter(pk=other.pk).update(clio_version_uuid="")
    assert result_of(compare(), revised) is Result.GOES_ON


# What was approved after the backup


def foreign(
    firm: Office,
    *,
    op_id: str,
    version: str,
    user: int | None = None,
    content: bytes = factories.CONTENT,
    finish: bool = True,
    parent: Parent | None = None,
) -> int:
    """A document in Clio that this database knows nothing of."""
    link = firm.link
    if user is not None:
        link = factories.connection(connected_by=firm.cast.dana, clio_user_id=user)
        factories.tokens_for(link, firm.clio)
    with client_for(link) as clio:
        made = clio.reserve_document(
            "Settlement offer.txt",
            parent=parent or Parent(ParentType.MATTER, firm.matter_id),
            content_type="text/plain",
            external_properties={OPERATION: op_id, VERSION: version},
        )
        if finish:
            put(clio, made, content)
    if user is not None:
        Connection.objects.filter(pk=link.pk).update(status=Connection.Status.DISCONNECTED)
    return made.document_id


def put(clio: Any, made: wire.Reservation, content: bytes) -> None:
    clio.transfer(made.put_url, made.put_headers, io.BytesIO(content), size=len(content))
    clio.confirm_document(made.document_id, version_uuid=made.version_uuid)


def waiting(firm: Office, **place: Any) -> Draft:
    return firm.draft(**place)


def test_a_version_that_was_approved_and_filed_after_the_backup_is_not_approved_again(firm: Office) -> None:
    draft = waiting(firm)
    document = foreign(firm, op_id=new_op_id(), version=str(draft.latest_version_id))

    report = compare()

    (line,) = report.documents
    assert (line.verdict, line.document_id) == (Verdict.KEPT_FROM_APPROVAL, document)
    assert draft.latest_version_id
    sentence = filed_before(draft.latest_version_id)
    assert f"filed as document {document} before the backup was restored" in sentence
    with pytest.raises(FiledBefore, match=str(document)):
        factories.approved(draft, by=firm.cast.alice)
    assert Delivery.objects.count() == 0
    assert report.opened


def test_the_database_itself_refuses_its_delivery(firm: Office) -> None:
    draft = waiting(firm)
    delivery = factories.approved(draft, by=firm.cast.alice)
    FiledElsewhere.objects.create(
        version_ref=delivery.version_ref,
        connection=firm.link,
        clio_document_id=1,
        clio_version_uuid="x",
        size=1,
    )
    with pytest.raises(DatabaseError, match="already holds this version"), transaction.atomic():
        Delivery(approval=delivery.approval, version_ref=delivery.version_ref, connection=firm.link).save(
            force_insert=True
        )


def test_what_was_approved_again_before_reconciling_is_not_filed_twice(firm: Office) -> None:
    delivery = firm.approved()
    document = foreign(firm, op_id=new_op_id(), version=str(delivery.version_ref))
    compare()
    firm.work_until_done(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, "already_filed")
    assert [one["id"] for one in firm.visible()] == [document]


def test_a_document_whose_draft_came_after_the_backup_is_listed(firm: Office) -> None:
    document = foreign(firm, op_id=new_op_id(), version=str(uuid4()))
    (line,) = compare().documents
    assert (line.document_id, line.verdict) == (document, Verdict.VERSION_UNKNOWN)
    assert (
        Entry.objects.filter(event=Event.RECONCILE_DOCUMENT_FOUND.value, object_id=str(document)).count() == 1
    )


def test_a_new_version_of_a_document_that_was_approved_after_the_backup_is_not_approved_again(
    firm: Office,
) -> None:
    original = firm.work(firm.approved(b"first"))
    draft = waiting(firm, content=b"second", document_id=original.clio_document_id)
    with client_for(firm.link) as clio:
        made = clio.reserve_document(
            "Settlement offer.txt",
            parent=Parent.document(original.clio_document_id or 0),
            content_type="text/plain",
        )
        put(clio, made, b"second")
    compare()
    with pytest.raises(FiledBefore):
        factories.approved(draft, by=firm.cast.alice)


@pytest.mark.parametrize("hostile", ["somebody_else", "other_matter", "other_size", "unfinished"])
def test_a_property_that_anybody_can_write_proves_nothing(firm: Office, hostile: str) -> None:
    draft = waiting(firm)
    foreign(
        firm,
        op_id=new_op_id(),
        version=str(draft.latest_version_id),
        user=BOB if hostile == "somebody_else" else None,
        parent=Parent.matter(firm.clio.matter_id("2026-0041")) if hostile == "other_matter" else None,
        content=b"longer than what was approved, or shorter"
        if hostile == "other_size"
        else factories.CONTENT,
        finish=hostile != "unfinished",
    )
    report = compare()
    assert not FiledElsewhere.objects.exists()
    assert report.opened
    told = {
        "somebody_else": [],
        "other_matter": [Verdict.OTHER_PLACE],
        "other_size": [Verdict.OTHER_SIZE],
        "unfinished": [Verdict.UNFINISHED],
    }
    assert [line.verdict for line in report.documents] == told[hostile]
    assert factories.approved(draft, by=firm.cast.alice)


@pytest.mark.parametrize("version", ["", "no uuid", "' OR 1=1 --"])
def test_a_property_that_makes_no_sense_stops_nothing(firm: Office, version: str) -> None:
    foreign(firm, op_id="x" * 200, version=version or "-")
    report = compare()
    assert [line.verdict for line in report.documents] == [Verdict.VERSION_UNKNOWN]
    assert not FiledElsewhere.objects.exists()


def test_only_documents_of_the_time_in_question_are_looked_at(firm: Office) -> None:
    foreign(firm, op_id=new_op_id(), version=str(uuid4()))
    assert compare(since=timezone.now() + timedelta(hours=3)).documents == []
    assert len(compare(since=timezone.now() - timedelta(hours=3)).documents) == 1


# What cannot be known keeps the gate closed


def test_a_connection_that_does_not_work_keeps_the_gate_closed(firm: Office) -> None:
    delivery = firm.approved()
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)
    report = compare()
    assert (report.opened, len(report.unknown)) == (False, 1)
    assert gate.closed()
    assert firm.work(delivery).state == State.QUEUED


def test_what_the_operator_takes_on_is_looked_for_before_it_is_begun(firm: Office) -> None:
    """It was filed after the backup through a connection that no longer works."""
    delivery = firm.approved()
    backup = as_it_was(delivery)
    firm.work(delivery)
    restore(delivery, backup)
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)

    report = compare(accept_unknown=True)
    assert report.opened
    assert result_of(report, delivery) is Result.LOOKS_FIRST
    Connection.objects.update(status=Connection.Status.ACTIVE)
    firm.work_until_done(delivery)
    assert delivery.state == State.FILED
    assert len(firm.visible()) == 1


@pytest.mark.parametrize("kind", ["status", "lose_before", "wrong_json"])
def test_a_search_that_fails_keeps_the_gate_closed(firm: Office, kind: str) -> None:
    delivery = firm.approved()
    firm.clio.fault("documents.list", kind, count=None, status=500)
    report = compare()
    assert not report.opened
    assert result_of(report, delivery) is Result.UNKNOWN
    refresh(delivery)
    assert (delivery.lease_until, delivery.attempts) == (None, 0)
    firm.clio.clear_faults()
    assert compare().opened


def test_a_search_that_lags_is_noticed(firm: Office) -> None:
    """What this database knows to be filed has to be found, or nothing that is not found means anything."""
    firm.clio.switch(external_property_lag_seconds=3600)
    firm.work(firm.approved())
    report = compare()
    assert not report.opened
    assert any("search" in sentence for sentence in report.unknown)
    firm.clio.advance(3601)
    assert compare().opened


def test_a_document_that_people_deleted_in_clio_is_no_fault_of_the_search(firm: Office) -> None:
    delivery = firm.work(firm.approved())
    firm.clio.act("trash_document", document_id=delivery.clio_document_id)
    assert compare().opened


@pytest.mark.parametrize(
    "switches",
    [
        {"unfinished_found_by_property": False},
        {"latest_version_shows_unfinished": False},
        {"put_url_renewed_on_show": False},
        {"matter_id_includes_subfolders": False},
        {"show_trashed": True},
        {"records_in_meta": False},
    ],
)
def test_whatever_clio_really_does_nothing_is_filed_twice(firm: Office, switches: dict[str, Any]) -> None:
    firm.clio.switch(**switches)
    filed, reserved = firm.approved(b"one"), died_at(firm, "C07")
    backup = as_it_was(filed)
    firm.work(filed)
    restore(filed, backup)
    assert compare().opened
    for delivery in (filed, reserved):
        firm.work_until_done(delivery)
        assert delivery.state == State.FILED
    assert len(firm.visible()) == 2


def test_a_limit_is_waited_for(firm: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        RateState.objects.update(blocked_until=None)

    monkeypatch.setattr("clio_sync.patience.time.sleep", nap)
    delivery = firm.approved()
    firm.clio.fault("documents.list", "status", status=429, headers={"Retry-After": "0"})
    assert result_of(compare(), delivery) is Result.GOES_ON
    assert naps


# The command


def run(*words: str) -> tuple[int, str]:
    out, progress = StringIO(), StringIO()
    try:
        call_command("reconcile", *words, stdout=out, stderr=progress)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_the_command_says_what_it_found_and_opens_the_gate(firm: Office) -> None:
    delivery = firm.approved()
    backup = as_it_was(delivery)
    firm.work(delivery)
    restore(delivery, backup)
    draft = waiting(firm)
    document = foreign(firm, op_id=new_op_id(), version=str(draft.latest_version_id))
    close()

    code, said = run()

    assert code == 0
    assert f"{delivery.op_id}" in said
    assert "already filed in Clio" in said
    assert f"document {document}" in said
    assert f"draft {str(draft.pk)[:8]}, version 1" in said
    assert "Filing goes on." in said
    finished = Entry.objects.get(event=Event.RECONCILE_FINISHED.value).content["detail"]
    assert (finished["deliveries"], finished["filed"], finished["found"]) == (1, 1, 1)
    assert gate.closed() is None


def test_a_dry_run_changes_nothing(firm: Office) -> None:
    delivery = firm.approved()
    backup = as_it_was(delivery)
    firm.work(delivery)
    restore(delivery, backup)
    foreign(firm, op_id=new_op_id(), version=str(waiting(firm).latest_version_id))
    close()
    entries = Entry.objects.count()

    code, said = run("--dry-run")

    assert code == 0
    assert "already filed in Clio" in said
    assert as_it_was(delivery) == backup
    assert (Entry.objects.count(), FiledElsewhere.objects.count()) == (entries, 0)
    assert gate.closed()


def test_running_it_twice_does_nothing_twice(firm: Office) -> None:
    delivery = died_at(firm, "C07")
    foreign(firm, op_id=new_op_id(), version=str(waiting(firm).latest_version_id))
    compare()
    refresh(delivery)
    row, told = as_it_was(delivery), firm.events(delivery)
    compare()
    assert {**as_it_was(delivery), "fence": 0} == {**row, "fence": 0}
    assert firm.events(delivery) == told
    assert FiledElsewhere.objects.count() == 1
    assert Entry.objects.filter(event=Event.RECONCILE_DOCUMENT_FOUND.value).count() == 1


@pytest.mark.parametrize("point", ["L01", "L02"])
def test_killed_in_the_middle_it_is_run_again(firm: Office, point: str) -> None:
    both = [firm.approved(content) for content in (b"one", b"two")]
    backups = [as_it_was(delivery) for delivery in both]
    for delivery, backup in zip(both, backups, strict=True):
        firm.work(delivery)
        restore(delivery, backup)
    with dying_at(point, hit=2), pytest.raises(Died):
        compare()
    assert gate.closed()
    for delivery in both:
        firm.later(delivery)
    assert compare().opened
    refresh(*both)
    assert [delivery.state for delivery in both] == [State.FILED, State.FILED]
    assert len(firm.visible()) == 2


def test_it_exits_with_3_when_something_could_not_be_known(firm: Office) -> None:
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)
    close()
    code, said = run()
    assert code == 3
    assert "needs reconnecting" in said
    assert gate.closed()
    assert run("--accept-unknown")[0] == 0
    assert gate.closed() is None


def test_there_is_nothing_to_reconcile_while_the_gate_is_open(firm: Office) -> None:
    code, said = run()
    assert code == 1
    assert "nothing to reconcile" in said
    assert firm.api_calls() == []


def test_filing_can_be_stopped_by_hand(firm: Office) -> None:
    delivery = firm.approved()
    assert run("--close")[0] == 0
    assert firm.work(delivery).state == State.QUEUED
    assert run()[0] == 0
    assert firm.work(delivery).state == State.FILED


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", ""])
def test_a_moment_that_is_none_is_refused(firm: Office, when: str) -> None:
    close()
    code, said = run(f"--since={when}") if when else run("--since", "x")
    assert code == 1
    assert "--since" in said


@pytest.mark.parametrize("when", ["2026-11-20", "2026-11-20T09:30", "2026-11-20T09:30+01:00"])
def test_a_moment_may_be_a_day_or_a_time(firm: Office, when: str) -> None:
    close()
    assert run("--since", when, "--dry-run")[0] == 0


def test_the_draft_says_why_it_cannot_be_approved(firm: Office, sign_in: Callable[[User], Client]) -> None:
    draft = waiting(firm)
    browser, address = sign_in(firm.cast.alice), f"/drafts/{draft.pk}/"
    assert 'href="#approve"' in browser.get(address).content.decode()
    document = foreign(firm, op_id=new_op_id(), version=str(draft.latest_version_id))
    compare()
    page = browser.get(address).content.decode()
    assert f"it was filed as document {document} before the backup was restored" in page
    assert 'href="#approve"' not in page
    assert 'href="#reject"' in page

    answer = browser.post(
        f"{address}approve/",
        {
            "version_id": draft.latest_version_id,
            "sha256": draft.latest_version.sha256 if draft.latest_version else "",
            "revision": draft.revision,
            "agreed": [statement.code for statement in STATEMENTS],
        },
    )
    assert answer.status_code == 409
    assert f"document {document}" in answer.content.decode()
    assert Delivery.objects.count() == 0
