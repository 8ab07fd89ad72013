"""The firm's rule for file names: what it makes of any words, who may change it, and where it counts."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from clio_sync.models import Connection
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from reviews import actions, naming
from reviews.errors import BadSubmission, NotAllowed
from reviews.formats import check_name
from reviews.models import Draft, NamingRule
from reviews.naming import Facts
from tests.cast import Cast
from tests.reviews.test_actions import content
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
PAGE = "/settings/file-names/"
ODD = 'aZ09 .-_/\\:*?"<>|\x00\n\t\u202e\u200b\u2028é\u0301ß中😀\u3164\ufe0f\u0e33{}~$'


def facts(**said: Any) -> Facts:
    known = {"day": date(2026, 11, 21), "matter": "2026-0042", "client": "Okafor", "title": "Offer"}
    return Facts(**{**known, "version": 2, "original": "draft_final.docx", **said})


@pytest.mark.parametrize(
    ("pattern", "said", "name"),
    [
        ("{date} {matter} {title}", {}, "2026-11-21 2026-0042 Offer.docx"),
        ("{client} - {title} {version}", {}, "Okafor - Offer v2.docx"),
        ("{client} - {title}", {"client": ""}, "Offer.docx"),
        ("{original} ({matter})", {}, "draft_final (2026-0042).docx"),
        ("{title}", {"title": "Re: A/B “now”?"}, "Re- A-B “now”.docx"),
        ("{title}", {"title": "a\u202eb\u200bc\x07d\te"}, "abcd e.docx"),
        ("{title}", {"title": "..."}, "draft_final.docx"),
        ("{title}", {"title": ".hidden"}, "hidden.docx"),
        ("{title}", {"title": "CON"}, "_CON.docx"),
        ("{title}", {"title": "e\u0301"}, "\u00e9.docx"),
        ("{title}", {"original": "README"}, "Offer"),
    ],
)
def test_what_a_rule_makes(pattern: str, said: dict[str, Any], name: str) -> None:
    assert naming.compose(pattern, facts(**said)) == name


def test_a_long_name_is_cut_at_a_whole_character_and_keeps_its_ending() -> None:
    for title in ("x" * 300, "é" * 300, "中" * 300, "q\u0323\u0307" * 100, "😀" * 99):
        name = naming.compose("{matter} {title}", facts(title=title))
        assert len(name.encode()) <= 200
        assert name.endswith(".docx")
        assert len(name.encode()) > 185
        check_name(name)
    assert not naming.compose("{title}", facts(title="q\u0323\u0307" * 100)).endswith("q.docx")


def test_whatever_stands_in_the_fields_the_name_may_come_in() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        words = ["".join(chance.choices(ODD, k=chance.randint(0, 80))) for _ in range(3)]
        made = facts(title=words[0], client=words[1], matter=words[2])
        check_name(naming.compose("{client} {title}-{matter}", made))


@pytest.mark.parametrize(
    "pattern", ["{nothing}", "{title", "title}", "{}", "fixed", "a/{title}", "{title}\u202e"]
)
def test_a_rule_that_cannot_make_names_is_refused(cast: Cast, pattern: str) -> None:
    with pytest.raises(BadSubmission) as refused:
        naming.change(pattern, by=cast.dana, actor=Actor.user(cast.dana))
    assert refused.value.sentence.endswith(".")
    assert not NamingRule.objects.exists()


def test_only_an_admin_changes_it_and_it_is_on_record(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        naming.change("{title}", by=cast.alice, actor=Actor.user(cast.alice))
    naming.change("{title}", by=cast.dana, actor=Actor.user(cast.dana))
    naming.change("{date} {title}", by=cast.dana, actor=Actor.user(cast.dana))
    newest = Entry.objects.filter(event=Event.NAMING_RULE_CHANGED).latest("seq")
    assert newest.content["detail"]["fields"] == ["date", "title"]
    assert newest.content["detail"]["previous"] is not None


def test_the_database_keeps_every_rule(cast: Cast) -> None:
    rule = naming.change("{title}", by=cast.dana, actor=Actor.user(cast.dana))
    with pytest.raises(DatabaseError), transaction.atomic():
        NamingRule.objects.filter(pk=rule.pk).update(pattern="{date}")


def test_the_page_tries_a_rule_out_and_keeps_it_only_when_told(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.dana)
    shown = client.post(PAGE, {"pattern": "{date} {matter} {title}", "look": "1"}).content.decode()
    assert "2026-11-21 2026-0042 Settlement offer.docx" in shown
    assert not NamingRule.objects.exists()
    assert "is no field" in client.post(PAGE, {"pattern": "{oops}", "look": "1"}).content.decode()
    assert client.post(PAGE, {"pattern": "{oops}"}).status_code == 422
    assert client.post(PAGE, {"pattern": "{date} {title}"}).status_code == 302
    assert "In force: {date} {title}" in client.get(PAGE).content.decode()


def test_changing_it_needs_a_recent_sign_in(cast: Cast, sign_in: SignIn, settings: Any) -> None:
    client = sign_in(cast.dana)
    settings.STEP_UP_SECONDS = 0
    answer = client.post(PAGE, {"pattern": "{title}"})
    assert "reauthenticate" in answer.headers["Location"]
    assert not NamingRule.objects.exists()


def test_a_draft_gets_its_name_by_the_rule_and_a_newer_version_by_the_same(
    cast: Cast, clio: SandboxProcess, link: Connection, sign_in: SignIn
) -> None:
    naming.change("{matter} {title} {version}", by=cast.dana, actor=Actor.user(cast.dana))
    draft = submitted(sign_in(cast.carol), clio, link, title="Offer: final")
    assert draft.destination["file_name"] == "2026-0042 Offer- final v1.txt"
    naming.change("{date}", by=cast.dana, actor=Actor.user(cast.dana))
    actions.add_version(draft.pk, content(b"two"), by=cast.carol, actor=Actor.user(cast.carol))
    draft.refresh_from_db()
    assert draft.destination["file_name"] == "2026-0042 Offer- final v2.txt"


def test_the_form_shows_the_name_before_anything_is_submitted(
    cast: Cast, clio: SandboxProcess, link: Connection, sign_in: SignIn
) -> None:
    naming.change("{matter} {title}", by=cast.dana, actor=Actor.user(cast.dana))
    asked: dict[str, Any] = {
        "original_name": "x.txt",
        "title": "Offer",
        "matter_id": clio.matter_id(),
        "connection": link.pk,
    }
    shown = sign_in(cast.carol).get("/drafts/new/name/", asked).content.decode()
    assert "Will be filed as <strong>2026-0042 Offer.txt</strong>" in shown
    assert not Draft.objects.exists()


def test_without_a_rule_a_file_keeps_its_name(
    cast: Cast, clio: SandboxProcess, link: Connection, sign_in: SignIn
) -> None:
    assert submitted(sign_in(cast.carol), clio, link).destination["file_name"] == "Letter.txt"


def submitted(client: Client, clio: SandboxProcess, link: Connection, **said: Any) -> Draft:
    file = SimpleUploadedFile("Letter.txt", b"Dear counsel,\n")
    fields = {"matter_id": clio.matter_id(), "matter_text": "2026", "connection": link.pk, "file": file}
    answer = client.post("/drafts/new/", {**fields, **said})
    assert answer.status_code == 302, answer.content.decode()
    return Draft.objects.get()
