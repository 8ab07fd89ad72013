"""Large files, made small: a kilobyte is large here, and a part has a hundred bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clio_sync.filing import crew, parts
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from portal import blobs
from portal.audit.events import Event
from portal.audit.models import Entry
from tests.cast import Cast
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.sandbox_process import SandboxProcess

State, Hold = Delivery.State, Delivery.Hold

RESERVE, UPDATE, SHOW, PUT = "documents.create", "documents.update", "documents.show", "storage.put"
PART = 100
LARGE = bytes(range(256)) * 4  # 1024 bytes: ten parts and a bit
ALL = set(range(1, 12))


@pytest.fixture(autouse=True)
def a_kilobyte_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FROM_BYTES", 1000)
    monkeypatch.setattr(parts, "part_size", lambda size: PART)
    monkeypatch.setattr(crew, "HANDS", 1)  # in order, so that a test knows which part comes when


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    clio_sandbox.switch(minimum_part_bytes=PART)
    return office(cast, clio_sandbox)


def puts(firm: Office) -> list[int]:
    """The numbers of the parts that came to storage, in order."""
    calls = firm.clio.calls(listener="storage", since=firm.since)
    return [int(dict(call["query"])["partNumber"]) for call in calls if call["method"] == "PUT"]


def is_filed_in_parts(firm: Office, delivery: Delivery) -> bool:
    (document,) = firm.visible()
    version = document["versions"][-1]
    return (
        delivery.state == State.FILED
        and document["id"] == delivery.clio_document_id
        and version["multipart"]
        and version["stored_sha256"] == delivery.approval.sha256 == delivery.sha256_sent
        and not delivery.parts.exists()
    )


# The way it goes


def test_a_large_file_goes_in_parts_with_two_calls_to_clios_api(firm: Office) -> None:
    delivery = firm.work(firm.approved(LARGE))

    assert is_filed_in_parts(firm, delivery)
    assert firm.api_calls() == [RESERVE, UPDATE]
    assert puts(firm) == sorted(ALL)
    entry = Entry.objects.get(object_id=str(delivery.pk), event=Event.DELIVERY_TRANSFERRED)
    told = entry.content["detail"]
    assert (told["parts"], told["sha256"]) == (11, delivery.approval.sha256)


def test_parts_are_announced_with_the_digests_that_storage_checks(firm: Office) -> None:
    firm.work(firm.approved(LARGE))
    (reserved,) = firm.clio.calls(route=RESERVE, since=firm.since)
    announced = reserved["body"]["data"]["multiparts"]
    assert [part["content_length"] for part in announced] == [*[100] * 10, 24]
    digests = {call["headers"]["content-md5"] for call in firm.clio.calls(route=PUT, since=firm.since)}
    assert digests == {part["content_md5"] for part in announced}


def test_a_smaller_file_goes_in_one_piece(firm: Office) -> None:
    delivery = firm.work(firm.approved(LARGE[:999]))
    (document,) = firm.visible()
    assert not document["versions"][-1]["multipart"]
    assert delivery.state == State.FILED


def test_several_parts_travel_at_once(firm: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "HANDS", 4)
    delivery = firm.work(firm.approved(LARGE))
    assert is_filed_in_parts(firm, delivery)
    assert Counter(puts(firm)) == Counter(ALL)


def test_a_new_version_of_a_document_goes_in_parts_too(firm: Office) -> None:
    original = firm.work(firm.approved(b"first"))
    revised = firm.work(firm.approved(LARGE, document_id=original.clio_document_id))
    assert is_filed_in_parts(firm, revised)
    assert revised.clio_version_number == 2


@pytest.mark.parametrize(("count", "more"), [(50, 0), (51, 1), (100, 1), (101, 2)])
def test_each_further_fifty_parts_cost_one_more_call(firm: Office, count: int, more: int) -> None:
    content = hashlib.shake_256(b"seed").digest(PART * count)
    delivery = firm.work(firm.approved(content))
    assert is_filed_in_parts(firm, delivery)
    assert firm.api_calls() == [RESERVE, *[UPDATE] * (more + 1)]
    assert puts(firm) == list(range(1, count + 1))


@pytest.mark.parametrize("size", [10**8, 2**30, 2**31 - 1, 10**10])
def test_one_call_announces_all_parts_of_any_file_that_clio_takes(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    step = parts.part_size(size)
    assert -(-size // step) <= 50
    assert step >= parts.LEAST_PART >= 5 * 1024 * 1024


# A worker dies


@pytest.mark.parametrize("hit", [1, 6, 11])
@pytest.mark.parametrize("point", ["C09", "C10", "C11"])
def test_after_a_death_only_what_is_missing_is_sent(firm: Office, point: str, hit: int) -> None:
    delivery = firm.approved(LARGE)
    with dying_at(point, hit=hit), pytest.raises(Died):
        firm.work(delivery)
    recorded = set(delivery.parts.exclude(sent_at=None).values_list("number", flat=True))
    assert recorded == set(range(1, hit))
    before = len(puts(firm))

    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert puts(firm)[before:] == sorted(ALL - recorded)
    assert firm.api_calls() == [RESERVE, UPDATE]  # the addresses were on record


def test_a_reservation_whose_answer_is_lost_is_adopted_with_its_parts(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    with dying_at("C07"), pytest.raises(Died):
        firm.work(delivery)
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert firm.api_calls() == [RESERVE, "documents.list", UPDATE, UPDATE]
    assert firm.unfinished() == []


def test_a_death_between_the_last_part_and_its_record_of_all_sends_nothing_again(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    with dying_at("C11", hit=11), pytest.raises(Died):
        firm.work(delivery)
    delivery.parts.update(sent_at=timezone.now())
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert puts(firm) == sorted(ALL)


def test_a_worker_that_lost_its_claim_records_no_part(firm: Office) -> None:
    delivery = firm.approved(LARGE)

    def taken_over() -> None:
        Delivery.objects.filter(pk=delivery.pk).update(fence=1000)

    with happening_at("C11", taken_over, hit=4):
        firm.work(delivery)
    assert set(delivery.parts.exclude(sent_at=None).values_list("number", flat=True)) == {1, 2, 3}
    assert delivery.state == State.RESERVED


# Something goes wrong with a part


def test_a_part_that_arrived_damaged_is_sent_again_alone(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    firm.clio.fault(PUT, "status", status=400, body=s3_error("BadDigest"), contains="partNumber=4&")
    firm.work(delivery)
    assert (delivery.state, delivery.hold) == (State.RESERVED, Hold.RETRY)
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert Counter(puts(firm)) == Counter([*ALL, 4])


def test_a_lost_answer_of_storage_costs_one_part(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    firm.clio.fault(PUT, "lose_after", contains="partNumber=7&")
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert Counter(puts(firm)) == Counter([*ALL, 7])


def test_a_part_whose_bytes_changed_stops_the_delivery_before_they_leave(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    with dying_at("C10", hit=6), pytest.raises(Died):
        firm.work(delivery)
    path = blobs.path_of(delivery.approval.sha256)
    path.chmod(0o600)
    path.write_bytes(LARGE[:750] + b"!" + LARGE[751:])

    firm.later(delivery)
    firm.work(delivery)
    assert (delivery.state, delivery.hold, delivery.problem) == (
        State.RESERVED,
        Hold.PERSON,
        Problem.BYTES_CHANGED,
    )
    assert 8 not in delivery.parts.exclude(sent_at=None).values_list("number", flat=True)
    assert firm.visible() == []


def test_a_file_that_is_not_the_approved_one_is_never_announced(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    path = blobs.path_of(delivery.approval.sha256)
    path.chmod(0o600)
    path.write_bytes(LARGE[:-1] + b"!")
    firm.work(delivery)
    assert (delivery.state, delivery.problem) == (State.QUEUED, Problem.BYTES_CHANGED)
    assert Event.DELIVERY_HASH_MISMATCH in firm.events(delivery)
    assert firm.api_calls() == []


def test_a_file_that_grew_is_never_announced(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    path = blobs.path_of(delivery.approval.sha256)
    path.chmod(0o600)
    path.write_bytes(LARGE + b"!")
    assert firm.work(delivery).problem == Problem.BYTES_CHANGED
    assert firm.api_calls() == []


def test_a_missing_file_waits_for_the_backup(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    blobs.path_of(delivery.approval.sha256).unlink()
    assert firm.work(delivery).problem == Problem.BYTES_MISSING


@pytest.mark.parametrize("status", [404, 422])
def test_parts_that_clio_does_not_find_are_all_sent_again(firm: Office, status: int) -> None:
    firm.clio.switch(upload_error_status=status)
    delivery = firm.approved(LARGE)
    body = {"error": {"type": "UploadNotFoundError", "message": "A matching remote file was not found"}}
    firm.clio.fault(UPDATE, "status", status=status, body=body)
    firm.work(delivery)
    assert (delivery.state, delivery.problem) == (State.RESERVED, Problem.BYTES_NOT_FOUND)
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert puts(firm) == [*sorted(ALL), *sorted(ALL)]


# Addresses end


@pytest.mark.parametrize("again", [True, False], ids=["announced again", "announced once"])
@pytest.mark.parametrize("shown", [True, False], ids=["shown", "not shown"])
def test_addresses_that_ended_are_renewed_whichever_way_clio_allows(
    firm: Office, shown: bool, again: bool
) -> None:
    firm.clio.switch(put_url_renewed_on_show=shown, parts_announced_again=again)
    delivery = firm.approved(LARGE)
    with dying_at("C10", hit=6), pytest.raises(Died):
        firm.work(delivery)
    delivery.parts.filter(sent_at=None).update(put_deadline=timezone.now() - timedelta(seconds=1))
    before = len(puts(firm))

    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert firm.unfinished() == []
    sent_later = puts(firm)[before:]
    assert sent_later == ([6, 7, 8, 9, 10, 11] if shown or again else sorted(ALL))


@pytest.mark.parametrize("again", [True, False])
def test_addresses_that_end_on_the_way_are_renewed_on_the_way(firm: Office, again: bool) -> None:
    firm.clio.switch(parts_announced_again=again)
    delivery = firm.approved(LARGE)

    def time_is_up() -> None:
        firm.clio.advance(700)

    with happening_at("C11", time_is_up, hit=3):
        firm.work(delivery)
    assert delivery.hold == Hold.RETRY
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert Counter(puts(firm))[1] == 1


def test_parts_beyond_fifty_get_their_addresses_when_their_turn_comes(firm: Office) -> None:
    delivery = firm.approved(bytes(PART * 60))
    with dying_at("C11", hit=50), pytest.raises(Died):
        firm.work(delivery)
    assert firm.api_calls() == [RESERVE]
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)


@pytest.mark.parametrize("again", [True, False])
def test_a_lost_answer_about_further_parts_is_asked_for_again(firm: Office, again: bool) -> None:
    firm.clio.switch(parts_announced_again=again)
    delivery = firm.approved(bytes(PART * 60))
    firm.clio.fault(UPDATE, "lose_after")
    firm.work(delivery)
    assert (delivery.state, delivery.hold) == (State.RESERVED, Hold.RETRY)
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert Counter(puts(firm)) == Counter(range(1, 61))


def test_a_reservation_that_is_taken_back_leaves_no_part_behind(firm: Office) -> None:
    firm.clio.switch(put_url_renewed_on_show=False, parts_announced_again=False)
    delivery = firm.approved(LARGE)
    with dying_at("C10", hit=6), pytest.raises(Died):
        firm.work(delivery)
    delivery.parts.update(put_deadline=timezone.now() - timedelta(seconds=1))
    firm.later(delivery)
    with dying_at("C04"), pytest.raises(Died):
        firm.work(delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.parts.count(), delivery.bytes_sent) == (State.QUEUED, 0, None)


def test_addresses_are_sealed_each_for_its_own_part(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    with dying_at("C10"), pytest.raises(Died):
        firm.work(delivery)
    first, second, *_ = delivery.parts.all()
    delivery.refresh_from_db()
    now = timezone.now()
    assert b"X-Amz-Signature" not in bytes(first.put_url_sealed)
    assert parts.address_of(delivery, first, now=now) is not None
    first.put_url_sealed = second.put_url_sealed
    assert parts.address_of(delivery, first, now=now) is None


def test_what_another_reservation_was_sent_does_not_count(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    with dying_at("C11", hit=6), pytest.raises(Died):
        firm.work(delivery)
    delivery.parts.update(clio_version_uuid="another")
    firm.work_until_done(delivery)
    assert is_filed_in_parts(firm, delivery)
    assert Counter(puts(firm)) == Counter([*ALL, 1, 2, 3, 4, 5, 6])


def test_storage_that_keeps_refusing_one_part_ends_with_a_person(firm: Office) -> None:
    delivery = firm.approved(LARGE)
    body = s3_error("SignatureDoesNotMatch")
    firm.clio.fault(PUT, "status", status=403, body=body, contains="partNumber=4&", count=None)
    firm.work_until_done(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.STORAGE_DENIED)
    assert firm.visible() == []


# Clio answers strangely


def parts_spoilt(firm: Office, spoil: Any) -> dict[str, Any]:
    """What Clio answered to the last reservation, with one thing wrong."""
    call = firm.clio.calls(route=RESERVE, since=firm.since)[-1]
    body: dict[str, Any] = call["response_body"]
    spoil(body["data"]["latest_document_version"]["multiparts"])
    return body


def missing(listed: list[dict[str, Any]]) -> None:
    listed.pop(3)


def not_asked_for(listed: list[dict[str, Any]]) -> None:
    listed.append({**listed[0], "part_number": 99})


def twice(listed: list[dict[str, Any]]) -> None:
    listed[1] = listed[0]


def another_length(listed: list[dict[str, Any]]) -> None:
    listed[0]["put_headers"][0]["value"] = "101"


def long_header(listed: list[dict[str, Any]]) -> None:
    listed[0]["put_headers"].append({"name": "x-amz-meta-a", "value": "a" * 3000})


def another_host(listed: list[dict[str, Any]]) -> None:
    listed[0]["put_url"] = "https://evil.example/part?X-Amz-Signature=1"


@pytest.mark.parametrize("spoil", [missing, not_asked_for, twice, another_length, long_header])
def test_an_answer_that_is_not_what_was_announced_is_not_believed(firm: Office, spoil: Any) -> None:
    firm.work(firm.approved(LARGE))  # a first document, whose answer is the model for a spoilt one
    body = parts_spoilt(firm, spoil)
    before = len(puts(firm))

    delivery = firm.approved(LARGE)
    firm.clio.fault(RESERVE, "wrong_json", body=body)
    firm.work(delivery)
    assert (delivery.state, delivery.hold) == (State.RESERVING, Hold.RETRY)
    assert len(puts(firm)) == before

    firm.work_until_done(delivery)
    assert delivery.state == State.FILED
    assert {document["sha256"] for document in firm.visible()} >= {delivery.approval.sha256}


def test_the_answer_that_is_spoilt_there_is_believed_as_it_is(firm: Office) -> None:
    firm.work(firm.approved(LARGE))
    body = parts_spoilt(firm, list)
    delivery = firm.approved(LARGE)
    firm.clio.fault(RESERVE, "wrong_json", body=body)
    assert firm.work(delivery).state == State.RESERVED


def test_a_part_that_is_to_go_to_a_foreign_host_stays_here(firm: Office) -> None:
    firm.work(firm.approved(LARGE))
    body = parts_spoilt(firm, another_host)
    delivery = firm.approved(LARGE)
    firm.clio.fault(RESERVE, "wrong_json", body=body)
    firm.work(delivery)
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.STORAGE_ADDRESS)
    assert "evil.example" in delivery.connection.last_error


# How far it is


@pytest.mark.parametrize(("hit", "sent"), [(1, 0), (8, 700)])
def test_how_far_a_transfer_is_stands_in_the_row(firm: Office, hit: int, sent: int) -> None:
    delivery = firm.approved(LARGE)
    with dying_at("C09", hit=hit), pytest.raises(Died):
        firm.work(delivery)
    delivery.refresh_from_db()
    assert delivery.bytes_sent == sent


def s3_error(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>"
