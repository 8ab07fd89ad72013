"""The daily removal of unfinished documents, and everything that looks like one and must stay."""

from __future__ import annotations

import io
from typing import Any

import pytest

from clio_sync import hygiene, tasks
from clio_sync.api.wire import Parent
from clio_sync.calls import client_for
from clio_sync.filing.reserving import OPERATION
from clio_sync.models import Connection, Delivery, new_op_id
from portal import gate
from portal.audit.events import Event
from portal.audit.models import Entry
from tests import factories
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, office
from tests.sandbox_process import BOB, SandboxProcess

State, Hold = Delivery.State, Delivery.Hold
A_DAY = 86_400


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    """Clio's documents of this test are made as long ago as it wants: its clock is put back first."""
    return office(cast, clio_sandbox)


def days_ago(firm: Office, days: float) -> None:
    firm.clio.control("POST", "/clock", {"reset": True})
    firm.clio.advance(-days * A_DAY)


def now(firm: Office) -> None:
    firm.clio.control("POST", "/clock", {"reset": True})


def reserved(firm: Office, op_id: str, *, link: Connection | None = None, finish: bool = False) -> int:
    with client_for(link or firm.link) as clio:
        made = clio.reserve_document(
            "Settlement offer.txt",
            parent=Parent.matter(firm.matter_id),
            content_type="text/plain",
            external_properties={OPERATION: op_id},
        )
        if finish:
            clio.transfer(made.put_url, made.put_headers, io.BytesIO(b"x"), size=1)
            clio.confirm_document(made.document_id, version_uuid=made.version_uuid)
    return made.document_id


def is_there(firm: Office, document_id: int) -> bool:
    return firm.clio.document(document_id)["deleted_at"] is None


def removed(firm: Office) -> list[str]:
    told = Entry.objects.filter(event=Event.DELIVERY_LITTER_REMOVED.value).order_by("seq")
    return [str(entry.content["object"]["id"]) for entry in told]


def deletions(firm: Office) -> list[dict[str, Any]]:
    return firm.clio.calls(route="documents.trash", since=firm.since)


def test_what_a_lost_worker_left_behind_is_removed_and_told(firm: Office) -> None:
    filed = firm.work(firm.approved())
    days_ago(firm, 2)
    litter = reserved(firm, filed.op_id)
    unknown = reserved(firm, new_op_id())
    now(firm)

    assert hygiene.remove_litter() == 2

    assert not is_there(firm, litter)
    assert not is_there(firm, unknown)
    assert removed(firm) == [str(litter), str(unknown)]
    entry = Entry.objects.filter(event=Event.DELIVERY_LITTER_REMOVED.value).earliest("seq")
    assert entry.content["detail"]["delivery"] == str(filed.pk)
    assert entry.content["corr"] == str(filed.approval.draft_ref)
    assert [document["id"] for document in firm.visible()] == [filed.clio_document_id]
    assert hygiene.remove_litter() == 0


def test_the_task_does_it(firm: Office) -> None:
    days_ago(firm, 2)
    litter = reserved(firm, new_op_id())
    now(firm)
    tasks.remove_litter()
    assert not is_there(firm, litter)


def test_what_is_younger_than_a_day_stays(firm: Office) -> None:
    days_ago(firm, 0.9)
    reserved(firm, new_op_id())
    now(firm)
    assert hygiene.remove_litter() == 0
    assert deletions(firm) == []


def test_what_a_delivery_may_still_need_stays(firm: Office) -> None:
    """The recorded document of one, and the document of another whose answer was lost."""
    days_ago(firm, 2)
    both = []
    for point in ("C09", "C07"):
        delivery = firm.approved(point.encode())
        with dying_at(point), pytest.raises(Died):
            firm.work(delivery)
        both.append(delivery)
    now(firm)
    assert hygiene.remove_litter() == 0
    for delivery in both:
        firm.work_until_done(delivery)
        assert delivery.state == State.FILED
    assert len(firm.visible()) == 2


def test_a_second_document_of_a_delivery_that_is_not_over_stays(firm: Office) -> None:
    """It may be the one that is adopted in the end."""
    delivery = firm.approved()
    days_ago(firm, 2)
    reserved(firm, delivery.op_id)
    now(firm)
    Delivery.objects.filter(pk=delivery.pk).update(hold=Hold.PERSON)
    assert hygiene.remove_litter() == 0


def test_a_finished_document_stays_whatever_it_says_of_itself(firm: Office) -> None:
    days_ago(firm, 2)
    finished = reserved(firm, new_op_id(), finish=True)
    now(firm)
    assert hygiene.remove_litter() == 0
    assert is_there(firm, finished)


@pytest.mark.parametrize("shows_unfinished", [True, False])
def test_a_finished_document_with_an_unfinished_version_on_top_stays(
    firm: Office, shows_unfinished: bool
) -> None:
    """Somebody is adding a version of their own: the newest version is unfinished, the document is not."""
    firm.clio.switch(latest_version_shows_unfinished=shows_unfinished)
    days_ago(firm, 2)
    document = reserved(firm, new_op_id(), finish=True)
    with client_for(firm.link) as clio:
        clio.reserve_document(
            "Settlement offer.txt", parent=Parent.document(document), content_type="text/plain"
        )
    now(firm)
    assert hygiene.remove_litter() == 0
    assert is_there(firm, document)


def test_an_unfinished_document_of_somebody_else_stays(firm: Office) -> None:
    """With our own operation id on it."""
    filed = firm.work(firm.approved())
    bob = factories.connection(connected_by=firm.cast.dana, clio_user_id=BOB)
    factories.tokens_for(bob, firm.clio)
    days_ago(firm, 2)
    theirs = [reserved(firm, op_id, link=bob) for op_id in (filed.op_id, new_op_id())]
    now(firm)
    Connection.objects.filter(pk=bob.pk).update(status=Connection.Status.DISCONNECTED)
    assert hygiene.remove_litter() == 0
    assert all(is_there(firm, document) for document in theirs)


@pytest.mark.parametrize(
    "op_id", ["their-own-1", "cs1-", "cs1-" + "g" * 26, "cs1-" + "a" * 27, "CS1-" + "a" * 26]
)
def test_a_document_with_an_operation_that_is_not_of_our_making_stays(firm: Office, op_id: str) -> None:
    days_ago(firm, 2)
    document = reserved(firm, op_id)
    now(firm)
    assert hygiene.remove_litter() == 0
    assert is_there(firm, document)


def test_it_is_read_again_right_before(firm: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the list and the deletion the document is finished after all."""
    days_ago(firm, 2)
    op_id = new_op_id()
    document = reserved(firm, op_id)
    now(firm)
    listed = hygiene.is_litter

    def then_finished(connection: Connection, found: Any) -> bool:
        verdict = listed(connection, found)
        if verdict and not deletions(firm):
            monkeypatch.setattr(hygiene, "is_litter", listed)
            with client_for(firm.link) as clio:
                again = clio.document(document).reservation()
                assert again is not None
                clio.transfer(again.put_url, again.put_headers, io.BytesIO(b"x"), size=1)
                clio.confirm_document(document, version_uuid=again.version_uuid)
        return verdict

    monkeypatch.setattr(hygiene, "is_litter", then_finished)
    assert hygiene.remove_litter() == 0
    assert deletions(firm) == []
    assert [one["id"] for one in firm.visible()] == [document]


def test_nothing_is_removed_while_the_gate_is_closed(firm: Office) -> None:
    days_ago(firm, 2)
    reserved(firm, new_op_id())
    now(firm)
    gate.folder().mkdir(parents=True, exist_ok=True)
    (gate.folder() / gate.CLOSED).touch()
    before = firm.api_calls()
    assert hygiene.remove_litter() == 0
    assert firm.api_calls() == before


@pytest.mark.parametrize("answer", ["404", "409"])
def test_a_document_that_clio_does_not_delete_is_left_and_not_told_as_removed(
    firm: Office, answer: str
) -> None:
    firm.clio.switch(delete_unfinished=answer)
    days_ago(firm, 2)
    reserved(firm, new_op_id())
    now(firm)
    assert hygiene.remove_litter() == 0
    assert removed(firm) == []


@pytest.mark.parametrize(
    "route", ["documents.list", "documents.show", "documents.versions", "documents.trash"]
)
def test_a_connection_with_trouble_waits_for_another_day(firm: Office, route: str) -> None:
    days_ago(firm, 2)
    document = reserved(firm, new_op_id())
    now(firm)
    firm.clio.fault(route, "status", status=503)
    assert hygiene.remove_litter() == 0
    assert is_there(firm, document)
    assert hygiene.remove_litter() == 1
