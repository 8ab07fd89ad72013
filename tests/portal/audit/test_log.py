from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from portal.accounts.models import ApiKey, User
from portal.audit.entry import NotCanonical, commitment, entry_hash, leaf_hash, parse
from portal.audit.events import Event, FactRefused
from portal.audit.log import Actor, NotInTransaction, Subject, record, record_denied
from portal.audit.models import Entry, Head, Outcome, TextSecret
from tests.cast import Cast

DRAFT = UUID("11111111-2222-3333-4444-555555555555")
SHA = "ab" * 32
SYSTEM = Actor.system("test")


def opened(**facts: object) -> Entry:
    return record(Event.DRAFT_OPENED, actor=SYSTEM, subject=Subject("draft", DRAFT), corr=DRAFT, **facts)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_what(cast: Cast) -> None:
    entry = record(
        Event.DRAFT_APPROVED,
        actor=Actor.user(cast.alice),
        subject=Subject("draft", DRAFT),
        corr=DRAFT,
        version=UUID(int=1),
        sha256=SHA,
        size=1234,
        matter=14_000_000_000_001,
        undo_until=datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
    )
    said = parse(entry.exact_bytes)
    moment = said.pop("ts")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", moment)
    assert said == {
        "v": 1,
        "log": "localhost/audit/1",
        "seq": "0",
        "prev": "00" * 32,
        "event": "draft.approved",
        "actor": {"type": "user", "id": str(cast.alice.pk), "roles": ["reviewer"]},
        "object": {"type": "draft", "id": str(DRAFT)},
        "outcome": "ok",
        "corr": str(DRAFT),
        "texts": {},
        "detail": {
            "version": str(UUID(int=1)),
            "sha256": SHA,
            "size": 1234,
            "matter": "14000000000001",
            "undo_until": "2026-11-21T10:00:00.000000Z",
        },
    }


@pytest.mark.django_db
def test_each_entry_names_the_one_before_it() -> None:
    first, second, third = opened(), opened(), opened()
    assert [first.seq, second.seq, third.seq] == [0, 1, 2]
    assert second.content["prev"] == entry_hash(first.exact_bytes).hex()
    assert third.content["prev"] == entry_hash(second.exact_bytes).hex()
    head = Head.objects.get()
    assert (head.size, bytes(head.last_hash)) == (3, third.hash)


@pytest.mark.django_db
def test_the_shown_columns_come_from_the_bytes(cast: Cast) -> None:
    before = timezone.now()
    seq = record(
        Event.DELIVERY_FILED,
        actor=Actor.worker("filing", on_behalf_of=cast.alice.pk),
        subject=Subject("delivery", 7),
        corr="op-7",
        outcome=Outcome.ERROR,
    ).seq
    entry = Entry.objects.get(seq=seq)
    assert before <= entry.at <= timezone.now()
    assert (entry.event, entry.outcome, entry.corr) == ("delivery.filed", "error", "op-7")
    assert (entry.actor_type, entry.actor_id, entry.on_behalf_of) == ("worker", "filing", str(cast.alice.pk))
    assert (entry.object_type, entry.object_id) == ("delivery", "7")
    assert bytes(entry.leaf) == leaf_hash(entry.exact_bytes)


@pytest.mark.django_db
def test_an_entry_without_an_object_or_a_thread_is_fine() -> None:
    entry = Entry.objects.get(seq=record(Event.AUDIT_VERIFIED, actor=SYSTEM, subject=None).seq)
    assert (entry.object_type, entry.object_id, entry.on_behalf_of, entry.corr) == (None, None, None, "")


@pytest.mark.django_db
def test_words_of_people_stay_outside_and_can_be_shown_to_belong() -> None:
    entry = record(
        Event.DRAFT_RETURNED,
        actor=SYSTEM,
        subject=Subject("draft", DRAFT),
        texts={"reason": "Clause 4 names the wrong tenant."},
    )
    kept = TextSecret.objects.get(seq=entry.seq)
    assert b"tenant" not in entry.exact_bytes
    assert kept.value == "Clause 4 names the wrong tenant."
    assert entry.content["texts"] == {"reason": commitment(bytes(kept.salt), kept.value)}
    kept.delete()


@pytest.mark.django_db
def test_the_same_words_twice_do_not_look_alike() -> None:
    entries = [
        record(Event.DRAFT_RETURNED, actor=SYSTEM, subject=None, texts={"reason": "No."}) for _ in range(2)
    ]
    assert entries[0].content["texts"] != entries[1].content["texts"]


@pytest.mark.django_db
def test_words_the_database_cannot_keep_are_mended_not_lost() -> None:
    entry = record(Event.DRAFT_RETURNED, actor=SYSTEM, subject=None, texts={"reason": "a\x00b\ud800c"})
    assert TextSecret.objects.get(seq=entry.seq).value == "a\ufffdb?c"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"colour": "red"},  # not in the catalogue
        {"version": "Smith v Jones, draft of Tuesday"},  # a sentence is no id
        {"version": "x" * 65},
        {"sha256": SHA.upper()},
        {"sha256": True},
        {"version": 1.5},
        {"version": b"1"},
    ],
)
def test_a_fact_outside_the_catalogue_is_refused_and_nothing_is_written(facts: dict[str, object]) -> None:
    with pytest.raises(FactRefused):
        opened(**facts)
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_unknown_texts_overlong_texts_and_odd_ids_are_refused() -> None:
    with pytest.raises(FactRefused, match="has no text called diary"):
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=None, texts={"diary": "..."})
    with pytest.raises(FactRefused, match="longer than"):
        record(Event.DRAFT_RETURNED, actor=SYSTEM, subject=None, texts={"reason": "x" * 20_001})
    with pytest.raises(FactRefused, match="not an id"):
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=Subject("draft", "Smith & Co"))
    with pytest.raises(FactRefused, match="not an id"):
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=None, corr="with space")


@pytest.mark.django_db
def test_an_entry_too_large_for_the_format_is_refused() -> None:
    with pytest.raises(NotCanonical, match="at most 8192 bytes"):
        record(Event.PERSON_CREATED, actor=SYSTEM, subject=None, roles=["r" * 99] * 90)


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(NotInTransaction):
        opened()
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_entry_goes_when_the_act_is_rolled_back() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=None, version=1 // opened().seq)
    assert not Entry.objects.exists()
    with transaction.atomic():
        assert opened().seq == 0


@pytest.mark.django_db(transaction=True)
def test_a_denial_outlives_the_act_it_refused() -> None:
    with pytest.raises(PermissionError), transaction.atomic():
        raise PermissionError
    entry = record_denied(
        Event.DECISION_DENIED, actor=SYSTEM, subject=Subject("draft", DRAFT), verdict="approve"
    )
    assert entry.outcome == "denied"


@pytest.mark.django_db(transaction=True)
def test_a_denial_inside_the_refused_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record_denied(Event.DECISION_DENIED, actor=SYSTEM, subject=None)


@pytest.mark.django_db
def test_the_first_entry_fixes_the_name_of_the_log(settings: LazySettings) -> None:
    opened()
    settings.AUDIT_ORIGIN = "portal.elsewhere.example/audit/1"
    assert opened().content["log"] == "localhost/audit/1"


@pytest.mark.django_db
def test_a_person_is_an_id_with_roles_and_proofs_and_never_a_name(
    cast: Cast, sign_in: Callable[[User], Client], rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.session = sign_in(cast.alice).session
    request.user = cast.alice
    said = Actor.person(request).as_said()
    assert 0 <= said["auth_age_s"] < 60
    assert re.fullmatch(r"[0-9a-f]{16}", said["session"])
    assert (said["id"], said["roles"], said["auth"]) == (str(cast.alice.pk), ["reviewer"], ["password"])
    assert "alice" not in json.dumps(said).lower()


@pytest.mark.django_db
def test_a_key_acts_on_behalf_of_its_owner(cast: Cast) -> None:
    key, _token = ApiKey.issue(name="drafting tool", owner=cast.carol, by=cast.dana)
    assert Actor.api_key(key).as_said() == {
        "type": "api_key",
        "id": str(key.pk),
        "on_behalf_of": str(cast.carol.pk),
    }


@pytest.mark.django_db
def test_nothing_points_at_the_log_and_the_log_points_at_nothing() -> None:
    models = (Entry, Head, TextSecret)
    assert not [field for model in models for field in model._meta.get_fields() if field.is_relation]
