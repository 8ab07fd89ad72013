from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from portal.audit.events import CATALOGUE, Event, Fact, FactRefused, checked

SHA = "ab" * 32


def test_every_event_is_in_the_catalogue_and_nothing_else_is() -> None:
    assert set(CATALOGUE) == set(Event)


@pytest.mark.parametrize("event", list(Event))
def test_every_event_is_named_by_what_it_happened_to_and_what_happened(event: Event) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", event.value)
    assert event.name == event.value.replace(".", "_").upper()
    assert len(event.value) <= 64


def test_no_fact_takes_the_name_of_an_argument_of_record() -> None:
    taken = {"event", "actor", "subject", "corr", "outcome", "texts"}
    assert not [event for event, spec in CATALOGUE.items() if taken & set(spec.facts)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("", None),
        (17, "17"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ("cs1-00ff", "cs1-00ff"),
    ],
)
def test_ids_are_kept_as_text(given: Fact, kept: str | None) -> None:
    assert checked(Event.DRAFT_OPENED, {"version": given}) == {"version": kept}


def test_moments_are_kept_in_utc_with_microseconds() -> None:
    berlin = datetime(2026, 11, 21, 11, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert checked(Event.DRAFT_APPROVED, {"undo_until": berlin}) == {
        "undo_until": "2026-11-21T10:00:00.000005Z"
    }
    assert datetime(2026, 11, 21, 10, 0, 0, 5, tzinfo=UTC) == berlin


def test_a_list_of_words_stays_a_list() -> None:
    assert checked(Event.PERSON_CREATED, {"roles": ("reviewer", "admin")}) == {"roles": ["reviewer", "admin"]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('"5d41402abc4b2a76b9719d911017c592"', "5d41402abc4b2a76b9719d911017c592"),
        ("req-1234", "req-1234"),
        ("an <odd> one", "sha256:" + hashlib.sha256(b"an <odd> one").hexdigest()),
    ],
)
def test_ids_of_other_systems_never_stop_the_work(given: str, kept: str) -> None:
    assert checked(Event.DELIVERY_TRANSFERRED, {"etag": given}) == {"etag": kept}


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (Event.DRAFT_SUBMITTED, {"size": -1}),
        (Event.DRAFT_SUBMITTED, {"size": 2**53}),
        (Event.DRAFT_SUBMITTED, {"size": True}),
        (Event.DRAFT_SUBMITTED, {"size": "12"}),
        (Event.DRAFT_SUBMITTED, {"made_by_ai": 1}),
        (Event.DRAFT_SUBMITTED, {"media_type": "text/plain; charset=utf-8"}),
        (Event.DRAFT_SUBMITTED, {"sha256": SHA[:-1]}),
        (Event.DRAFT_SUBMITTED, {"file_name": "Smith.docx"}),
        (Event.DRAFT_APPROVED, {"undo_until": "tomorrow"}),
        (Event.DELIVERY_RESERVED, {"request_id": "x" * 201}),
        (Event.PERSON_CREATED, {"roles": "reviewer"}),
        (Event.PERSON_CREATED, {"roles": ["reviewer", "two words"]}),
        (Event.PERSON_CREATED, {"roles": ["r"] * 101}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(event: Event, facts: dict[str, Fact]) -> None:
    with pytest.raises(FactRefused, match=next(iter(facts))):
        checked(event, facts)
