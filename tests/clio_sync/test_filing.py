from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from clio_sync import claims, deliveries, filing, parking, problems, timing
from clio_sync.api import outbound
from clio_sync.api.wire import Parent
from clio_sync.calls import client_for
from clio_sync.filing.reserving import OPERATION, RECEIPT, VERSION
from clio_sync.models import Connection, Delivery
from clio_sync.problems import InClio, Problem
from clio_sync.progress import progress
from clio_sync.receipts import receipt
from portal import blobs
from portal.audit.events import Event
from portal.audit.log import Actor
from tests import factories
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold

RESERVE, CONFIRM, TRANSFER = "documents.create", "documents.update", "storage.put"


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def is_filed_once(firm: Office, delivery: Delivery) -> bool:
    """The oracle: exactly one document in Clio, the recorded one, of the approved bytes."""
    (document,) = firm.visible()
    return (
        delivery.state == State.FILED
        and document["id"] == delivery.clio_document_id
        and document["sha256"] == delivery.approval.sha256 == delivery.sha256_sent
        and document["matter_id"] == firm.matter_id
    )


# The way it goes


def test_an_approved_document_is_filed_with_two_calls_to_clios_api(firm: Office) -> None:
    delivery = firm.work(firm.approved())

    assert is_filed_once(firm, delivery)
    assert firm.api_calls() == [RESERVE, CONFIRM]
    assert delivery.approval.sha256 == hashlib.sha256(factories.CONTENT).hexdigest()
    assert firm.events(delivery) == [
        Event.DELIVERY_ENQUEUED,
        Event.DELIVERY_RESERVE_STARTED,
        Event.DELIVERY_RESERVED,
        Event.DELIVERY_TRANSFERRED,
        Event.DELIVERY_CONFIRM_STARTED,
        Event.DELIVERY_FILED,
    ]


def test_clio_is_told_where_it_goes_and_by_which_operation(firm: Office) -> None:
    delivery = firm.work(firm.approved(file_name="Offer letter.txt"))
    (document,) = firm.visible()
    assert (document["name"], document["matter_id"]) == ("Offer letter.txt", firm.matter_id)
    assert document["versions"][0]["content_type"] == "text/plain"
    assert {one["name"]: one["value"] for one in document["external_properties"]} == {
        OPERATION: delivery.op_id,
        VERSION: str(delivery.version_ref),
        RECEIPT: f"http://localhost/drafts/{delivery.approval.draft_ref}/receipt/",
    }


def test_an_address_too_long_for_clio_is_left_out(firm: Office, settings: LazySettings) -> None:
    settings.SITE_URL = f"https://{'a' * 200}.example"
    firm.work(firm.approved())
    (document,) = firm.visible()
    assert RECEIPT not in {one["name"] for one in document["external_properties"]}


def test_the_signed_address_is_sealed_and_forgotten_once_used(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    delivery.refresh_from_db()
    assert bytes(delivery.put_url_sealed)
    assert b"X-Amz-Signature" not in bytes(delivery.put_url_sealed)

    firm.work_until_done(delivery)
    assert (bytes(delivery.put_url_sealed), delivery.put_headers, delivery.put_deadline) == (b"", [], None)


def test_looking_at_a_filed_delivery_again_calls_nobody(firm: Office) -> None:
    delivery = firm.work(firm.approved())
    before = firm.api_calls()
    assert firm.work(delivery).state == State.FILED
    assert firm.api_calls() == before


def test_two_drafts_of_one_name_become_two_documents(firm: Office) -> None:
    first, second = firm.work(firm.approved(b"one")), firm.work(firm.approved(b"two"))
    assert {document["id"] for document in firm.visible()} == {
        first.clio_document_id,
        second.clio_document_id,
    }


def test_a_document_goes_into_the_folder_that_was_approved(firm: Office) -> None:
    folder = a_folder(firm)
    firm.work(firm.approved(folder_id=folder, folder_name="Correspondence"))
    (document,) = firm.visible()
    assert (document["folder_id"], document["matter_id"]) == (folder, firm.matter_id)


def test_a_new_version_joins_the_document_that_was_approved(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    revised = firm.work(firm.approved(b"second", document_id=original.clio_document_id))

    assert revised.state == State.FILED
    assert revised.clio_document_id == original.clio_document_id
    (document,) = firm.visible()
    assert [version["fully_uploaded"] for version in document["versions"]] == [True, True]
    assert document["sha256"] == revised.approval.sha256
    assert revised.clio_version_number == 2


def test_a_document_can_get_more_versions_than_clio_keeps_properties(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    for content in (b"2", b"3", b"4", b"5"):
        revised = firm.work(firm.approved(content, document_id=original.clio_document_id))
        assert revised.state == State.FILED, revised.problem


def test_undoing_in_time_leaves_clio_without_a_single_call(firm: Office) -> None:
    delivery = factories.approved(firm.draft(), by=firm.cast.alice, undo_seconds=30)
    firm.work(delivery)
    deliveries.undo(delivery, actor=Actor.user(firm.cast.alice))
    firm.work_until_done(delivery)
    assert delivery.state == State.WITHDRAWN
    assert firm.api_calls() == []
    assert firm.clio.documents() == []


# A worker dies


def test_nothing_happens_while_a_dead_workers_lease_lasts(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    assert firm.work(delivery).state == State.RESERVED
    assert firm.api_calls() == [RESERVE]


def test_an_unanswered_reservation_is_not_looked_for_before_it_must_be_over(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C07"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    firm.work(delivery)
    assert (delivery.state, delivery.hold, delivery.attempts) == (State.RESERVING, Hold.RETRY, 0)
    assert delivery.lease_until is None
    assert delivery.intent_at is not None
    assert delivery.not_before == delivery.intent_at + timing.QUIESCE
    assert firm.api_calls() == [RESERVE]


def test_a_death_in_both_calls_leaves_one_document(firm: Office) -> None:
    delivery = firm.approved()
    for point in ("C07", "C15"):
        firm.later(delivery)
        with dying_at(point), pytest.raises(Died):
            firm.work(delivery)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


# Answers are lost


@pytest.mark.parametrize("kind", ["lose_after", "truncate", "wrong_json"])
@pytest.mark.parametrize("route", [RESERVE, CONFIRM])
def test_an_answer_of_the_api_that_is_lost_leaves_one_document(firm: Office, route: str, kind: str) -> None:
    delivery = firm.approved()
    firm.clio.fault(route, kind)
    firm.work(delivery)
    assert delivery.hold == Hold.RETRY
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert firm.unfinished() == []
    assert firm.api_calls().count(CONFIRM) == 1


def test_an_answer_of_storage_that_is_lost_leaves_one_document(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(TRANSFER, "lose_after")
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert firm.api_calls() == [RESERVE, CONFIRM]


@pytest.mark.parametrize("route", [RESERVE, CONFIRM, TRANSFER])
def test_a_request_that_never_arrived_leaves_one_document(firm: Office, route: str) -> None:
    delivery = firm.approved()
    firm.clio.fault(route, "lose_before")
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_server_error_after_the_act_leaves_one_document(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(RESERVE, "status", status=502, act=True)
    firm.clio.fault(CONFIRM, "status", status=500, act=True)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_reservation_that_search_never_shows_stays_invisible(firm: Office) -> None:
    firm.clio.switch(unfinished_found_by_property=False)
    delivery = firm.approved()
    firm.clio.fault(RESERVE, "lose_after")
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert len(firm.unfinished()) == 1


def test_a_search_that_lags_for_minutes_costs_tidiness_and_no_duplicate(firm: Office) -> None:
    firm.clio.switch(external_property_lag_seconds=300)
    delivery = firm.approved()
    firm.clio.fault(RESERVE, "lose_after")
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_lost_reservation_in_a_folder_is_found_however_clio_filters_by_matter(firm: Office) -> None:
    firm.clio.switch(matter_id_includes_subfolders=False)
    delivery = firm.approved(folder_id=a_folder(firm), folder_name="Correspondence")
    firm.clio.fault(RESERVE, "lose_after")
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert firm.unfinished() == []


def test_a_reservation_of_a_new_version_that_is_lost_adds_one_version(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    revised = firm.approved(b"second", document_id=original.clio_document_id)
    firm.clio.fault(RESERVE, "lose_after")
    firm.work_until_done(revised)
    assert revised.state == State.FILED
    (document,) = firm.visible()
    finished = [version["sha256"] for version in document["versions"] if version["fully_uploaded"]]
    assert finished == [original.approval.sha256, revised.approval.sha256]


def test_until_its_confirmation_is_read_back_a_document_counts_as_unconfirmed(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(CONFIRM, "lose_after")
    firm.work(delivery)
    shown = progress(delivery)
    assert (delivery.state, shown.label, shown.step) == (State.CONFIRMING, "Filed, unconfirmed", 2)
    assert problems.in_clio(delivery) == InClio.NOT_YET_KNOWN
    assert "not yet known" in shown.sentence


@pytest.mark.parametrize("again", ["error", "ok"])
@pytest.mark.parametrize("status", [400, 409, 422])
def test_confirming_what_is_confirmed_already_is_success(firm: Office, again: str, status: int) -> None:
    firm.clio.switch(confirm_again=again, confirm_again_status=status)
    delivery = firm.approved()
    with dying_at("C15"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.TRANSFERRED)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_size_that_clio_shows_later_is_waited_for(firm: Office) -> None:
    firm.clio.switch(size_lag_seconds=60)
    delivery = firm.work(firm.approved())
    assert (delivery.state, delivery.problem) == (State.CONFIRMING, Problem.NOT_VERIFIED)
    firm.clio.advance(120)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_clio_may_take_its_time_to_verify(firm: Office) -> None:
    firm.clio.switch(confirm_times_out=2)
    delivery = firm.work(firm.approved())
    assert (delivery.state, delivery.problem) == (State.CONFIRMING, Problem.NOT_VERIFIED)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_bytes_that_clio_does_not_find_are_sent_again(firm: Office, status: int) -> None:
    firm.clio.switch(upload_error_status=status)
    delivery = firm.approved()
    firm.clio.fault(TRANSFER, "status", status=200, body="")
    firm.work(delivery)
    assert (delivery.state, delivery.problem) == (State.RESERVED, Problem.BYTES_NOT_FOUND)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


# The database remembers less than Clio


def forget(delivery: Delivery) -> Delivery:
    """As after restoring a backup: the intent is all that is remembered."""
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.RESERVING,
        clio_document_id=None,
        clio_version_uuid="",
        clio_version_number=None,
        sha256_sent="",
        storage_etag="",
    )
    return delivery


def confirmed_but_forgotten(firm: Office) -> Delivery:
    delivery = firm.approved()
    with dying_at("C15"), pytest.raises(Died):
        firm.work(delivery)
    return forget(delivery)


def file_another(firm: Office, delivery: Delivery, content: bytes) -> None:
    """Somebody else's document that bears the delivery's name."""
    with client_for(firm.link) as clio:
        place = clio.reserve_document(
            "Twin.txt",
            parent=Parent.matter(firm.matter_id),
            external_properties={OPERATION: delivery.op_id},
        )
        clio.transfer(place.put_url, place.put_headers, io.BytesIO(content), size=len(content))
        clio.confirm_document(place.document_id, version_uuid=place.version_uuid)


def test_a_document_that_the_database_forgot_is_found_compared_and_called_filed(firm: Office) -> None:
    delivery = firm.work_until_done(confirmed_but_forgotten(firm))
    assert is_filed_once(firm, delivery)
    assert "documents.download" in firm.api_calls()


def test_a_finished_document_of_other_bytes_is_never_called_filed(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C05"), pytest.raises(Died):
        firm.work(delivery)
    file_another(firm, delivery, b"x" * len(factories.CONTENT))
    firm.later(delivery)
    firm.work(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.CONTENT_DIFFERS)


def test_two_finished_documents_of_one_name_are_a_persons_decision(firm: Office) -> None:
    delivery = confirmed_but_forgotten(firm)
    file_another(firm, delivery, factories.CONTENT)
    firm.later(delivery)
    firm.work(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.TWO_FOUND)


def test_a_document_in_another_matter_that_bears_our_name_is_not_ours(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C05"), pytest.raises(Died):
        firm.work(delivery)
    here, firm.matter_id = firm.matter_id, firm.clio.matter_id("2026-0001")
    file_another(firm, delivery, factories.CONTENT)
    firm.matter_id = here
    firm.work_until_done(delivery)
    assert delivery.state == State.FILED
    assert [one["id"] for one in firm.visible() if one["matter_id"] == here] == [delivery.clio_document_id]


# Many at once


def test_a_stale_worker_writes_nothing_and_confirms_nothing_of_its_own(firm: Office) -> None:
    delivery = firm.approved()

    def sleep_too_long() -> None:
        """The ghost is stopped before it records its reservation; another worker files meanwhile."""
        firm.later(delivery)
        filing.deliver(delivery.pk)

    with happening_at("C07", sleep_too_long):
        filing.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert is_filed_once(firm, delivery)


def test_a_worker_whose_lease_was_taken_makes_no_further_call(firm: Office) -> None:
    delivery = firm.approved()

    def taken_over() -> None:
        firm.later(delivery)
        assert claims.claim(delivery.pk) is not None

    with happening_at("C05", taken_over):
        filing.deliver(delivery.pk)
    assert firm.api_calls() == []


# Addresses


def test_an_address_that_expired_is_renewed(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    firm.clio.advance(3600)
    Delivery.objects.filter(pk=delivery.pk).update(put_deadline=timezone.now() - timedelta(hours=1))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert firm.api_calls() == [RESERVE, "documents.show", CONFIRM]


def test_an_address_that_storage_calls_expired_is_renewed(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    firm.clio.advance(3600)
    firm.later(delivery)
    firm.work(delivery)
    assert (delivery.state, delivery.problem) == (State.RESERVED, Problem.STORAGE_EXPIRED)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("trashed", ["trash", "404"])
def test_without_a_fresh_address_the_reservation_is_taken_back_and_made_anew(
    firm: Office, shown: bool, trashed: str
) -> None:
    firm.clio.switch(
        put_url_renewed_on_show=False, latest_version_shows_unfinished=shown, delete_unfinished=trashed
    )
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(put_deadline=timezone.now())
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)
    assert Event.DELIVERY_ABANDONED in firm.events(delivery)
    assert len(firm.unfinished()) == (0 if trashed == "trash" else 1)


def test_addresses_that_are_always_too_old_end_with_a_person_and_not_with_endless_calls(
    firm: Office,
) -> None:
    firm.clio.switch(put_url_seconds=5, put_url_renewed_on_show=False)
    delivery = firm.work(firm.approved())
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.STORAGE_EXPIRED)
    assert firm.clio.calls(listener="storage", since=firm.since) == []
    assert firm.unfinished() == []


def test_an_unfinished_document_that_clio_will_not_delete_is_left_alone_in_the_end(firm: Office) -> None:
    firm.clio.switch(put_url_renewed_on_show=False, delete_unfinished="409")
    delivery = firm.approved()
    with dying_at("C09"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(put_deadline=timezone.now())
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_taking_back_a_new_version_never_deletes_the_document(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    firm.clio.switch(put_url_renewed_on_show=False)
    revised = firm.approved(b"second", document_id=original.clio_document_id)
    with dying_at("C09"), pytest.raises(Died):
        firm.work(revised)
    Delivery.objects.filter(pk=revised.pk).update(put_deadline=timezone.now())
    firm.work_until_done(revised)
    assert revised.state == State.FILED
    assert "documents.trash" not in firm.api_calls()
    (document,) = firm.visible()
    assert document["sha256"] == revised.approval.sha256


# Refusals and troubles: each ends in the right state, with a sentence


@pytest.mark.parametrize(
    ("route", "status", "state", "hold", "problem"),
    [
        (RESERVE, 403, State.QUEUED, Hold.PERSON, Problem.FORBIDDEN),
        (RESERVE, 404, State.QUEUED, Hold.PERSON, Problem.PLACE_NOT_FOUND),
        (RESERVE, 410, State.QUEUED, Hold.PERSON, Problem.UPGRADE_NEEDED),
        (RESERVE, 422, State.QUEUED, Hold.PERSON, Problem.PLACE_REFUSED),
        (RESERVE, 429, State.QUEUED, Hold.LIMIT, Problem.LIMIT),
        (RESERVE, 500, State.RESERVING, Hold.RETRY, Problem.LOST_ANSWER),
        (TRANSFER, 500, State.RESERVED, Hold.RETRY, Problem.STORAGE_TROUBLE),
        (TRANSFER, 403, State.RESERVED, Hold.RETRY, Problem.STORAGE_DENIED),
        (CONFIRM, 403, State.TRANSFERRED, Hold.PERSON, Problem.FORBIDDEN),
        (CONFIRM, 404, State.TRANSFERRED, Hold.PERSON, Problem.RESERVATION_GONE),
        (CONFIRM, 422, State.TRANSFERRED, Hold.PERSON, Problem.REFUSED),
        (CONFIRM, 429, State.TRANSFERRED, Hold.LIMIT, Problem.LIMIT),
        (CONFIRM, 503, State.CONFIRMING, Hold.RETRY, Problem.CLIO_TROUBLE),
    ],
)
def test_each_refusal_ends_where_it_belongs_with_a_sentence(
    firm: Office, route: str, *, status: int, state: str, hold: str, problem: str
) -> None:
    delivery = firm.approved()
    firm.clio.fault(route, "status", status=status, body={"error": {"type": "Any", "message": "No."}})

    firm.work(delivery)

    assert (delivery.state, delivery.hold, delivery.problem) == (state, hold, problem)
    assert delivery.lease_until is None
    assert progress(delivery).sentence
    assert progress(delivery).label == ("Needs you" if hold == Hold.PERSON else progress(delivery).label)
    assert firm.visible() == []

    if hold == Hold.PERSON:
        deliveries.retry_now(delivery, actor=Actor.user(firm.cast.alice))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_storage_that_keeps_refusing_ends_with_a_person(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(
        TRANSFER, "status", status=403, count=None, body="<Error><Code>AccessDenied</Code></Error>"
    )
    firm.work_until_done(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.STORAGE_DENIED)
    assert Event.DELIVERY_ABANDONED in firm.events(delivery)
    assert firm.visible() == []


def test_an_outage_is_sat_out_and_counted(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(RESERVE, "status", status=503, count=3)
    for attempts in (1, 2, 3):
        firm.later(delivery)
        firm.work(delivery)
        assert (delivery.hold, delivery.attempts) == (Hold.RETRY, attempts)
        assert delivery.not_before > timezone.now()
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_limit_is_no_attempt_and_clios_wait_is_obeyed(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.fault(RESERVE, "status", status=429, headers={"Retry-After": "40"})
    firm.work(delivery)
    assert (delivery.hold, delivery.attempts) == (Hold.LIMIT, 0)
    assert delivery.not_before > timezone.now() + timedelta(seconds=35)
    assert "used up" in progress(delivery).sentence

    other = firm.work(firm.approved(b"other"))
    assert (other.hold, other.state) == (Hold.LIMIT, State.QUEUED)
    assert firm.api_calls() == [RESERVE]

    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_closed_matter_is_a_persons_decision_and_cancelling_leaves_nothing(firm: Office) -> None:
    firm.clio.switch(closed_matter_refuses=True)
    firm.clio.act("close_matter", matter_id=firm.matter_id)
    delivery = firm.work(firm.approved())
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.PLACE_REFUSED)
    told = problems.explain(delivery)
    assert told is not None
    assert (told.in_clio, told.button) == (InClio.NO, "choose")
    assert "may be closed" in told.happened

    deliveries.cancel(delivery, actor=Actor.user(firm.cast.alice))
    assert delivery.state == State.WITHDRAWN
    assert firm.clio.documents() == []


def test_a_matter_that_the_clio_user_cannot_see_is_a_persons_decision(firm: Office) -> None:
    firm.clio.act("hide_matter", matter_id=firm.matter_id, user_id=firm.link.clio_user_id)
    delivery = firm.work(firm.approved())
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.PLACE_NOT_FOUND)


def test_a_reservation_that_somebody_removed_is_a_persons_decision(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C13"), pytest.raises(Died):
        firm.work(delivery)
    delivery.refresh_from_db()
    firm.clio.act("purge_document", document_id=delivery.clio_document_id)
    firm.later(delivery)
    firm.work(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.RESERVATION_GONE)


# Taking back on the way


@pytest.mark.parametrize("show_trashed", [False, True])
@pytest.mark.parametrize("confirm_trashed", [False, True])
def test_cancelling_takes_the_unfinished_document_back(
    firm: Office, show_trashed: bool, confirm_trashed: bool
) -> None:
    firm.clio.switch(show_trashed=show_trashed, confirm_trashed=confirm_trashed)
    delivery = firm.approved()
    firm.clio.fault(CONFIRM, "status", status=403)
    firm.work(delivery)
    assert len(firm.unfinished()) == 1
    deliveries.cancel(delivery, actor=Actor.user(firm.cast.alice), reason="Not needed")
    assert progress(delivery).label == "Taking back"
    firm.work_until_done(delivery)
    assert delivery.state == State.WITHDRAWN
    assert firm.visible() == []
    assert firm.unfinished() == []
    assert firm.events(delivery)[-3:] == [
        Event.DELIVERY_CANCELLED,
        Event.DELIVERY_ABANDON_STARTED,
        Event.DELIVERY_WITHDRAWN,
    ]


def test_cancelling_what_was_finished_after_all_ends_as_filed(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C15"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(
        hold=Hold.PERSON, problem=Problem.REFUSED, lease_until=None
    )
    delivery.refresh_from_db()
    deliveries.cancel(delivery, actor=Actor.user(firm.cast.alice))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_cancelling_a_reservation_nobody_knows_of_finds_it_first(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C07"), pytest.raises(Died):
        firm.work(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(
        hold=Hold.PERSON, problem=Problem.REFUSED, lease_until=None
    )
    delivery.refresh_from_db()
    deliveries.cancel(delivery, actor=Actor.user(firm.cast.alice))
    firm.work_until_done(delivery)
    assert delivery.state == State.WITHDRAWN
    assert firm.visible() == []
    assert firm.unfinished() == []


# The bytes


def test_a_file_that_is_not_the_approved_one_is_never_sent(firm: Office) -> None:
    delivery = firm.approved()
    path = blobs.path_of(delivery.approval.sha256)
    path.chmod(0o600)
    path.write_bytes(b"Something else, of another length.")
    try:
        firm.work(delivery)
    finally:
        path.unlink()
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.BYTES_CHANGED)
    assert Event.DELIVERY_HASH_MISMATCH in firm.events(delivery)
    assert firm.clio.calls(listener="storage", since=firm.since) == []
    assert firm.visible() == []


def test_a_file_that_is_missing_waits_for_the_backup(firm: Office) -> None:
    delivery = firm.approved(b"soon to be lost")
    path = blobs.path_of(delivery.approval.sha256)
    path.unlink()
    firm.work(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.BYTES_MISSING)

    blobs.store([b"soon to be lost"], limit=100)
    deliveries.retry_now(delivery, actor=Actor.user(firm.cast.dana))
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_a_document_of_another_size_in_clio_is_never_called_filed(firm: Office) -> None:
    delivery = firm.approved()

    def something_else_arrives() -> None:
        firm.clio.fault(CONFIRM, "wrong_json", body=confirmed_with(delivery, size=1))

    with happening_at("C13", something_else_arrives):
        firm.work(delivery)
    assert (delivery.state, delivery.hold) == (State.CONFIRMING, Hold.PERSON)
    assert delivery.problem == Problem.SIZE_DIFFERS


# The connection


def test_a_token_that_ended_is_renewed_and_filing_goes_on(firm: Office) -> None:
    delivery = firm.approved()
    firm.clio.act("expire_tokens")
    firm.work(delivery)
    assert is_filed_once(firm, delivery)


def test_a_revoked_connection_parks_the_delivery_until_it_is_reconnected(firm: Office) -> None:
    delivery = firm.approved()
    with dying_at("C13"), pytest.raises(Died):
        firm.work(delivery)
    firm.clio.act("revoke_grant")
    firm.later(delivery)
    firm.work(delivery)
    assert (delivery.hold, delivery.state, delivery.attempts) == (Hold.CONNECTION, State.TRANSFERRED, 0)
    shown = progress(delivery)
    assert shown.label == "Needs you"
    assert shown.problem is not None
    assert (shown.problem.button, shown.problem.who) == ("reconnect", "an admin")
    assert claims.claim(delivery.pk) is None

    reconnect(firm)
    firm.work_until_done(delivery)
    assert is_filed_once(firm, delivery)


def test_what_waits_for_its_connection_has_not_begun_and_can_be_undone(firm: Office) -> None:
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECTING)
    delivery = firm.work(firm.approved())
    assert (delivery.state, delivery.hold, delivery.first_call_at) == (State.QUEUED, Hold.CONNECTION, None)
    deliveries.undo(delivery, actor=Actor.user(firm.cast.alice))
    assert firm.api_calls() == []


def test_a_claim_outlasts_a_call_and_a_quiet_time_outlasts_both() -> None:
    longest = outbound.API_SECONDS + (outbound.TIMEOUT.connect or 0) + (outbound.TIMEOUT.pool or 0)
    assert timing.LEASE.total_seconds() > longest
    assert timing.QUIESCE.total_seconds() > longest + 10


# The receipt


def test_the_receipt_proves_what_was_filed_where_by_whom(firm: Office) -> None:
    delivery = firm.work(firm.approved())
    proof = receipt(delivery)
    (document,) = firm.visible()
    assert proof.is_same_bytes
    assert (proof.clio_document_id, proof.size) == (document["id"], document["size"])
    assert proof.clio_version_uuid == document["versions"][0]["uuid"]
    assert proof.approved_by == firm.cast.alice
    assert proof.filed_as.user_name == firm.link.clio_user_name
    assert not proof.filed_as.is_own
    assert proof.storage_etag == hashlib.md5(factories.CONTENT).hexdigest()
    assert proof.clio_url == f"{firm.clio.api_url}/nc/#/documents/{document['id']}"
    assert proof.log_position is not None


def a_folder(firm: Office) -> int:
    """A folder inside the matter, made as the portal would make it."""
    with client_for(firm.link) as clio:
        folder = clio.create_folder("Correspondence", parent=Parent.matter(firm.matter_id)).id
    firm.since = firm.clio.last_call_id()
    return folder


def confirmed_with(delivery: Delivery, *, size: int) -> dict[str, Any]:
    row = Delivery.objects.get(pk=delivery.pk)
    version = {"uuid": row.clio_version_uuid, "fully_uploaded": True, "size": size, "version_number": 1}
    return {"data": {"id": row.clio_document_id, "etag": '"x"', "latest_document_version": version}}


def reconnect(firm: Office) -> None:
    firm.link.refresh_from_db()
    firm.link.status = Connection.Status.ACTIVE
    factories.tokens_for(firm.link, firm.clio)
    parking.resume_deliveries(firm.link)


def test_a_storage_host_that_is_not_on_the_list_is_named_to_the_admin(
    firm: Office, settings: LazySettings
) -> None:
    settings.CLIO_SANDBOX_STORAGE_URL = "http://127.0.0.1:9"
    delivery = firm.work(firm.approved())
    assert (delivery.state, delivery.hold) == (State.RESERVED, Hold.PERSON)
    assert delivery.problem == Problem.STORAGE_ADDRESS
    firm.link.refresh_from_db()
    assert "storage host 127.0.0.1" in firm.link.last_error
    assert "put_url" not in firm.link.last_error and "Signature" not in firm.link.last_error
