from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.audit.entry import canonical
from portal.audit.events import CATALOGUE, Event, Kind
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry, Outcome
from portal.audit.sentences import SENTENCES, names_for, sentence
from tests.cast import Cast

SAMPLES: dict[Kind, Any] = {
    Kind.ID: 42,
    Kind.HASH: "ab" * 32,
    Kind.COUNT: 1234,
    Kind.CODE: "wrong_matter",
    Kind.FLAG: True,
    Kind.INSTANT: datetime(2026, 11, 21, 14, 10, tzinfo=UTC),
    Kind.OUTSIDE: "req-1",
    Kind.IDS: [1, 2],
    Kind.CODES: ["reviewer", "admin"],
}
SYSTEM = Actor.system("sweeper")
DRAFT = Subject("draft", "0f8fad5b-d9cb-469f-a165-70867728950e")


def test_every_event_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Event)


@pytest.mark.parametrize("event", list(Event))
def test_every_sentence_speaks_only_of_facts_the_event_may_have(event: Event) -> None:
    named = set(re.findall(r"\{(\w+)\}", SENTENCES[event]))
    assert named <= {"actor", "object", *CATALOGUE[event].facts}


@pytest.mark.django_db
@pytest.mark.parametrize("event", list(Event))
def test_every_event_reads_well_with_all_its_facts_and_with_none(event: Event) -> None:
    facts = {name: SAMPLES[kind] for name, kind in CATALOGUE[event].facts.items()}
    full = record(event, actor=Actor(type="user", id="5"), subject=DRAFT, **facts)
    bare = record(event, actor=SYSTEM, subject=None)
    for told in (sentence(entry, names_for([entry])) for entry in (full, bare)):
        assert told[0].isupper()
        assert told.endswith(".")
        assert not re.search(r"[{}\[\]]|None|  | \.", told)
    assert "(not given)" not in sentence(full, {})


@pytest.mark.django_db
def test_an_approval_reads_like_one(cast: Cast) -> None:
    entry = record(
        Event.DRAFT_APPROVED,
        actor=Actor.user(cast.alice),
        subject=DRAFT,
        number=2,
        sha256="ab" * 32,
        undo_until=datetime(2026, 11, 21, 14, 10, tzinfo=UTC),
    )
    assert sentence(entry, names_for([entry])) == (
        "Alice approved version 2 of draft 0f8fad5b, SHA-256 abababababab; "
        "undo until 2026-11-21 14:10:00 UTC."
    )


@pytest.mark.django_db
def test_a_worker_says_for_whom_it_acts(cast: Cast) -> None:
    entry = record(
        Event.DELIVERY_TRANSFERRED,
        actor=Actor.worker("filing", on_behalf_of=cast.alice.pk),
        subject=Subject("delivery", 7),
    )
    assert (
        sentence(entry, names_for([entry]))
        == "The filing worker for Alice sent the bytes of delivery 7 (step 2 of 3)."
    )


@pytest.mark.django_db
def test_roles_are_told_with_both_names(cast: Cast) -> None:
    entry = record(
        Event.ROLE_GRANTED,
        actor=Actor.user(cast.dana),
        subject=Subject("person", cast.bob.pk),
        role="reviewer",
    )
    assert sentence(entry, names_for([entry])) == "Dana gave Bob the role reviewer."


@pytest.mark.django_db
def test_what_was_denied_never_reads_as_done(cast: Cast) -> None:
    entry = record(Event.DRAFT_APPROVED, actor=Actor.user(cast.alice), subject=DRAFT, outcome=Outcome.DENIED)
    assert sentence(entry, names_for([entry])) == "Denied: Alice approved draft 0f8fad5b."


@pytest.mark.django_db
def test_a_person_who_is_unknown_is_told_by_id() -> None:
    entry = record(Event.PERSON_SIGNED_OUT, actor=Actor(type="user", id="99"), subject=None)
    assert sentence(entry, names_for([entry])) == "Person 99 signed out."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"event": "moon.landed", "actor": {"type": "system", "id": "x"}}, "system x: moon.landed."),
        ({"event": "draft.opened"}, "Failed: Nobody known opened it."),
        (
            {"event": "draft.opened", "actor": 7, "object": [], "detail": "?", "outcome": "ok"},
            "Nobody known opened it.",
        ),
        ({"event": ["draft.opened"]}, "nobody known: ['draft.opened']."),
    ],
)
def test_a_log_that_was_tampered_with_can_still_be_read(said: dict[str, Any], told: str) -> None:
    assert sentence(Entry(seq=0, body=canonical(said)), {}) == told
    assert sentence(Entry(seq=0, body=b"\xff"), {}) == "The bytes of this entry cannot be read."
