from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry, Head, Outcome, TextSecret
from tests.append_only import guards_down
from tests.cast import Cast
from tests.portal.audit.seed import DRAFT

SYSTEM = Actor.system("test")
SignIn = Callable[[User], Client]
PAGES = [
    ("get", "/log/"),
    ("get", "/log/0/"),
    ("get", "/log/?event=draft."),
    ("post", "/log/check/"),
    ("post", "/log/export/"),
]


def write(count: int) -> None:
    for number in range(count):
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=Subject("draft", number))


def numbers(answer: object) -> list[int]:
    """The numbers of the entries a page shows, from top to bottom."""
    return [int(found) for found in re.findall(r'href="/log/(\d+)/">', page(answer)) if found]


def page(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize(("method", "address"), PAGES)
@pytest.mark.parametrize("name", ["alice", "carol", "dana", "mallory"])
def test_only_compliance_reads_the_log(
    cast: Cast, sign_in: SignIn, name: str, method: str, address: str
) -> None:
    write(1)
    client = sign_in(getattr(cast, name))
    before = Head.objects.get().size
    assert getattr(client, method)(address).status_code == 403
    assert not Entry.objects.filter(seq__gte=before, event__startswith="audit.").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "address"), PAGES)
def test_who_is_not_signed_in_is_sent_to_the_door(client: Client, method: str, address: str) -> None:
    answer = getattr(client, method)(address)
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")


def test_the_log_is_read_as_sentences_newest_first(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    record(
        Event.ROLE_GRANTED,
        actor=Actor.user(cast.dana),
        subject=Subject("person", cast.bob.pk),
        role="reviewer",
    )
    record(Event.PERSON_SIGNED_OUT, actor=Actor.user(cast.bob), subject=None)
    shown = page(client.get("/log/"))
    assert shown.index("Bob signed out.") < shown.index("Dana gave Bob the role reviewer.")


def test_an_empty_log_says_so(cast: Cast, sign_in: SignIn) -> None:
    shown = page(sign_in(cast.erin).get("/log/?event=ratelimit.hit"))
    assert "No entry fits" in shown


def test_pages_go_back_and_forth_without_gaps(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    start = Head.objects.get().size if Head.objects.exists() else 0
    write(120)
    seen: list[int] = []
    address = "/log/?event=draft.opened"
    while True:
        answer = client.get(address)
        seen += numbers(answer)
        older = re.search(r'rel="next" href="([^"]+)"', page(answer))
        if not older:
            break
        address = "/log/" + older.group(1).replace("&amp;", "&")
    assert seen == list(range(start + 119, start - 1, -1))
    newer = re.search(r'rel="prev" href="([^"]+)"', page(answer))
    assert newer
    assert numbers(client.get("/log/" + newer.group(1).replace("&amp;", "&"))) == seen[50:100]


def test_a_page_asks_the_database_the_same_number_of_times_however_long_the_log(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = sign_in(cast.erin)
    write(120)
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        client.get("/log/?before=100")


@pytest.fixture
def mixed(cast: Cast) -> dict[str, int]:
    """Different entries, and their numbers."""
    alice, carol = Actor.user(cast.alice), Actor.user(cast.carol)
    draft = Subject("draft", DRAFT)
    found = {
        "submitted": record(Event.DRAFT_SUBMITTED, actor=carol, subject=draft, corr=DRAFT),
        "denied": record(
            Event.DECISION_DENIED, actor=carol, subject=draft, corr=DRAFT, outcome=Outcome.DENIED
        ),
        "approved": record(Event.DRAFT_APPROVED, actor=alice, subject=draft, corr=DRAFT),
        "filed": record(
            Event.DELIVERY_FILED,
            actor=Actor.worker("filing", on_behalf_of=cast.alice.pk),
            subject=Subject("delivery", 7),
            corr=DRAFT,
        ),
        "role": record(
            Event.ROLE_GRANTED, actor=SYSTEM, subject=Subject("person", cast.alice.pk), role="admin"
        ),
        "other": record(Event.DRAFT_OPENED, actor=SYSTEM, subject=Subject("draft", 99)),
    }
    return {name: entry.seq for name, entry in found.items()}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("event=draft.approved", ["approved"]),
        ("event=draft.", ["other", "approved", "submitted"]),
        ("person={alice}", ["role", "filed", "approved"]),
        ("about=" + str(DRAFT), ["filed", "approved", "denied", "submitted"]),
        ("about=" + str(DRAFT)[:8], ["filed", "approved", "denied", "submitted"]),
        ("about=99", ["other"]),
        ("outcome=denied", ["denied"]),
        ("person={carol}&outcome=ok", ["submitted"]),
        ("since={today}&until={today}&event=draft.approved", ["approved"]),
        ("until={yesterday}", []),
        ("since={tomorrow}", []),
    ],
)
def test_the_address_chooses_what_is_shown(
    cast: Cast, sign_in: SignIn, mixed: dict[str, int], query: str, shown: list[str]
) -> None:
    today = timezone.localdate()
    words = {
        "alice": cast.alice.pk,
        "carol": cast.carol.pk,
        "today": today,
        "yesterday": today - timedelta(days=1),
        "tomorrow": today + timedelta(days=1),
    }
    answer = sign_in(cast.erin).get("/log/?" + query.format(**words))
    assert [seq for seq in numbers(answer) if seq in mixed.values()] == [mixed[name] for name in shown]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("event=moon.landed", "moon.landed is not one of the available choices"),
        ("since=yesterday", "Enter a valid date"),
        ("about=Smith %26 Co", "An id has letters, digits"),
        ("since=2026-11-21&until=2026-11-20", "The first day is after the last one."),
    ],
)
def test_a_bad_choice_is_explained_and_shows_nothing(
    cast: Cast, sign_in: SignIn, query: str, words: str
) -> None:
    write(3)
    answer = sign_in(cast.erin).get("/log/?" + query)
    assert answer.status_code == 200
    assert words in page(answer)
    assert numbers(answer) == []


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "after=99999999999999999999999", "before=1&after=zzz"]
)
def test_a_made_up_place_in_the_log_does_no_harm(cast: Cast, sign_in: SignIn, query: str) -> None:
    write(3)
    assert sign_in(cast.erin).get("/log/?" + query).status_code == 200


def test_one_entry_shows_its_bytes_hashes_and_words(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    entry = record(
        Event.DRAFT_RETURNED,
        actor=SYSTEM,
        subject=Subject("draft", DRAFT),
        texts={"reason": "<b>Clause 4</b>"},
    )
    after = record(Event.DRAFT_OPENED, actor=SYSTEM, subject=None)
    shown = page(client.get(f"/log/{entry.seq}/"))
    assert entry.hash.hex() in shown
    assert bytes(entry.leaf).hex() in shown
    assert "&lt;b&gt;Clause 4&lt;/b&gt;" in shown
    assert f'href="/log/{after.seq}/"' in shown
    TextSecret.objects.all().delete()
    assert "forgotten" in page(client.get(f"/log/{entry.seq}/"))


@pytest.mark.parametrize("seq", ["4711", "99999999999999999999999999"])
def test_an_entry_that_is_not_there_is_not_found(cast: Cast, sign_in: SignIn, seq: str) -> None:
    assert sign_in(cast.erin).get(f"/log/{seq}/").status_code == 404


def test_the_check_shows_its_verdict_and_records_it(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    write(4)
    size = Head.objects.get().size
    answer = client.post("/log/check/")
    assert "VALID" in page(answer)
    assert "What this does not prove" in page(answer)
    told = Entry.objects.latest("seq")
    assert (told.event, told.actor_id) == ("audit.verified", str(cast.erin.pk))
    assert (told.content["detail"]["verdict"], told.content["detail"]["entries"]) == ("VALID", size)
    assert "Last checked on" in page(client.get("/log/"))


def test_a_log_that_was_tampered_with_is_shown_as_such(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    write(4)
    seq = Head.objects.get().size - 3
    with guards_down(connection), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_entry WHERE seq = %s", [seq])
    answer = client.post("/log/check/")
    assert f"Entry {seq} is missing" in page(answer)
    assert Entry.objects.latest("seq").content["detail"]["verdict"] == "INVALID"
    assert "The last check did not find this log valid." in page(client.get("/log/"))


def test_a_verdict_is_shown_even_when_the_log_takes_no_more_entries(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    write(4)
    with guards_down(connection):
        Head.objects.update(size=2)
    answer = client.post("/log/check/")
    assert "INVALID" in page(answer)
    assert "did not take a record of this check" in page(answer)


def test_an_export_streams_a_file_and_is_recorded(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    write(3)
    answer = client.post(
        "/log/export/", {"format": "jsonl", "reason": "For the insurer.", "event": "draft.opened"}
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-log-to-')
    assert len(b"".join(answer.streaming_content).splitlines()) == 3  # type: ignore[attr-defined]
    told = Entry.objects.latest("seq")
    assert (told.event, told.content["detail"]["entries"]) == ("audit.exported", 3)


def test_an_export_needs_a_reason_and_opens_the_form_again(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.erin)
    answer = client.post("/log/export/", {"format": "csv", "reason": ""})
    assert answer.status_code == 422
    assert "data-open-at-once" in page(answer)
    assert not Entry.objects.filter(event="audit.exported").exists()


def test_an_export_asks_for_a_recent_sign_in_and_comes_back_to_the_choice(
    cast: Cast, sign_in: SignIn, settings: LazySettings
) -> None:
    client = sign_in(cast.erin)
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.STEP_UP_SECONDS + 5)):
        answer = client.post(
            "/log/export/", {"format": "csv", "reason": "For the insurer.", "back_to": "/log/?event=draft."}
        )
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer.url).query)["next"] == ["/log/?event=draft."]  # type: ignore[attr-defined]
    assert not Entry.objects.filter(event="audit.exported").exists()


@pytest.mark.parametrize("address", ["/log/check/", "/log/export/"])
def test_acts_are_posts(cast: Cast, sign_in: SignIn, address: str) -> None:
    assert sign_in(cast.erin).get(address).status_code == 405
