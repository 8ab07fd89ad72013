"""What people and clients said stays where it belongs: not in entries, logs, mail or messages to workers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from clio_sync import filing
from clio_sync.models import Connection, Delivery, RateState
from portal.accounts.models import ApiKey, User
from portal.audit.models import Entry, TextSecret
from reviews import outcomes
from reviews.models import Draft, Status
from tests.cast import Cast
from tests.reviews.test_views import form, page
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
Committed = Callable[..., AbstractContextManager[list[Any]]]

SAID = [f"canary{number:02}" for number in range(1, 21)]
(
    TITLE, FILE_NAME, NOTE, TOOL, MODEL, MODEL_VERSION, TASK, WORDS,
    API_TITLE, API_FILE_NAME, API_NOTE, API_TOOL, API_MODEL, API_VERSION, API_TASK, API_RUN, API_KEY,
    RETURNED, REJECTED, SEARCHED,
) = SAID  # fmt: skip


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """Everything that is handed to the broker, headers included."""
    sent: list[str] = []

    def note(**message: Any) -> None:
        sent.append(repr(message))

    before_task_publish.connect(note, weak=False)
    yield sent
    before_task_publish.disconnect(note)


def test_no_word_of_theirs_is_in_entries_logs_mails_or_messages(  # noqa: PLR0917
    cast: Cast,
    clio: SandboxProcess,
    link: Connection,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
    mailoutbox: list[EmailMessage],
    messages: list[str],
    django_capture_on_commit_callbacks: Committed,
    settings: Settings,
) -> None:
    settings.UNDO_SECONDS = 0
    caplog.set_level(logging.DEBUG)
    _, token = ApiKey.issue(name="tool", owner=cast.carol, by=cast.dana)
    with django_capture_on_commit_callbacks(execute=True):
        by_form = submitted_by_form(sign_in(cast.carol))
        by_api = submitted_by_api(Client(), token)
        refused_at_the_door(Client(), token)
        read_and_decided(sign_in(cast.alice), by_form, by_api)
        answered(Client(), token, by_api)
        approved_and_filed(sign_in(cast.alice), by_api)
        outcomes.hear()
    assert Draft.objects.get(pk=by_api.pk).status == Status.APPROVED
    assert {mail.to[0] for mail in mailoutbox} == {cast.carol.email}
    assert messages

    hidden = [*SAID, *from_clio(by_api), *secrets(clio, link), token]
    places = {
        "entries": [entry.exact_bytes.decode() for entry in Entry.objects.all()],
        "logs": [f"{one.getMessage()} {one.args!r} {one.exc_text}" for one in caplog.records],
        "mails": [f"{mail.subject} {mail.body} {mail.extra_headers}" for mail in mailoutbox],
        "messages": messages,
    }
    found = {
        (place, word)
        for place, texts in places.items()
        for text in texts
        for word in hidden
        if word.lower() in text.lower()
    }
    assert not found
    assert len(places["entries"]) > 15
    kept = json.dumps(list(TextSecret.objects.values_list("value", flat=True)))
    assert RETURNED in kept and FILE_NAME in kept, "the words were planted"


def submitted_by_form(client: Client) -> Draft:
    answer = client.post(
        "/drafts/new/",
        {
            "file": SimpleUploadedFile(f"{FILE_NAME}.txt", WORDS.encode()),
            "matter_text": "2026-0042",
            "title": TITLE,
            "note": NOTE,
            "made_by_ai": "on",
            "tool": TOOL,
            "model": MODEL,
            "model_version": MODEL_VERSION,
            "task": TASK,
        },
    )
    assert answer.status_code == 302, answer.content
    return Draft.objects.get(title=TITLE)


def submission(**fields: Any) -> dict[str, Any]:
    return {
        "file": SimpleUploadedFile(f"{API_FILE_NAME}.txt", b"First."),
        "note": API_NOTE,
        "tool": API_TOOL,
        "model": API_MODEL,
        "model_version": API_VERSION,
        "task": API_TASK,
        "run": API_RUN,
        **fields,
    }


def submitted_by_api(client: Client, token: str) -> Draft:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": API_KEY}
    said = submission(matter_number="2026-0042", title=API_TITLE)
    answer = client.post("/api/v1/drafts", said, headers=headers)
    assert answer.status_code == 201, answer.content
    return Draft.objects.get(pk=answer.json()["id"])


def refused_at_the_door(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{API_KEY}-2"}
    for change in (
        {"matter_number": TITLE},
        {"matter_number": "2026-0042", "file": SimpleUploadedFile(f"{FILE_NAME}.exe", b"MZ")},
        {"matter_number": "2026-0042", "task": TASK * 200},
    ):
        assert client.post("/api/v1/drafts", submission(**change), headers=headers).status_code == 422
    client.get("/api/v1/drafts", headers={"Authorization": f"Bearer csk_{SEARCHED}"})


def read_and_decided(client: Client, by_form: Draft, by_api: Draft) -> None:
    client.get("/", {"q": SEARCHED, "matter": SEARCHED})
    for draft in (by_form, by_api):
        for address in ("", "v1/preview/", "v1/download/", "compare/1/1/"):
            answer = client.get(f"{page(draft)}{address}")
            assert answer.status_code == 200
            b"".join(answer)
    assert (
        client.post(page(by_form, "reject"), form(by_form, reason_code="law", reason=REJECTED)).status_code
        == 302
    )
    back = form(by_api, reason_code="facts", reason=RETURNED)
    assert client.post(page(by_api, "return"), back).status_code == 302
    assert client.post(page(by_api, "approve"), form(by_api)).status_code == 409


def answered(client: Client, token: str, draft: Draft) -> None:
    answer = client.post(
        f"/api/v1/drafts/{draft.pk}/versions",
        submission(file=SimpleUploadedFile(f"{API_FILE_NAME}.txt", b"Second.")),
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201, answer.content


def approved_and_filed(client: Client, draft: Draft) -> None:
    assert client.post(page(draft, "approve"), form(draft)).status_code == 302
    delivery = Delivery.objects.get()
    Delivery.objects.update(not_before=delivery.created_at)
    RateState.objects.update(next_at=delivery.created_at, blocked_until=None)
    filing.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.FILED, (delivery.state, delivery.problem)


def from_clio(draft: Draft) -> list[str]:
    """What Clio calls the client, the matter and the account."""
    place = draft.destination
    assert place["client_name"] and place["matter_description"]
    return [place["client_name"], place["matter_description"], draft.connection.account_name]


def secrets(clio: SandboxProcess, link: Connection) -> list[str]:
    """The tokens of the connection, and the signature of every address that storage was given."""
    from clio_sync.tokens import access_of

    link.refresh_from_db()
    assert clio.calls(listener="storage")
    return [access_of(link).reveal(), "X-Amz-Signature"]
