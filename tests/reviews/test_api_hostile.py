"""What a careless or hostile program sends, and the plain refusal it gets."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal import blobs
from portal.accounts.models import ApiKey, Role, RoleGrant
from portal.audit.events import Event
from portal.audit.models import Entry
from reviews.models import Draft, Submission
from tests import factories
from tests.cast import Cast
from tests.reviews.test_api import AI, Program
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(cast: Cast, client: Client) -> Program:
    _, token = ApiKey.issue(name="drafting tool", owner=cast.carol, by=cast.dana)
    return Program(client, token)


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which is always the same kind of JSON."""
    told = answer.json()
    assert set(told) == {"code", "message", "field"}, told
    assert told["message"].endswith(".")
    return answer.status_code, told["code"]


@pytest.mark.parametrize(
    ("field", "most"),
    [
        ("title", 200),
        ("note", 2000),
        ("tool", 100),
        ("model", 100),
        ("model_version", 100),
        ("task", 500),
        ("run", 100),
        ("matter_number", 100),
    ],
)
def test_words_without_end_are_refused_not_cut(
    program: Program, clio: SandboxProcess, field: str, most: int
) -> None:
    fields: dict[str, Any] = {field: "x" * (most + 1)}
    answer = program.submit(**fields)
    assert problem(answer)[0] == 422
    assert answer.json()["field"] == field
    assert not (Draft.objects.exists() or Submission.objects.exists())
    if field != "matter_number":
        fields = {field: "x" * most}
        assert program.submit(**fields).status_code == 201


@pytest.mark.parametrize("field", ["title", "note", "tool", "model", "model_version", "task", "run"])
@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e"])
def test_characters_that_nobody_sees_are_refused(
    program: Program, clio: SandboxProcess, field: str, character: str
) -> None:
    fields: dict[str, Any] = {field: f"Off{character}er"}
    answer = program.submit(**fields)
    assert problem(answer) == (422, "characters")
    assert answer.json()["field"] == field
    assert not Draft.objects.exists()


@pytest.mark.parametrize("key", ["a\x00b", "a\x01b", " ", "sch\u00f6n"])
def test_an_idempotency_key_is_plain_text(program: Program, clio: SandboxProcess, key: str) -> None:
    assert problem(program.submit(key=key)) == (422, "key_characters")


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 4400, "1e3", "", "true"])
@pytest.mark.parametrize("field", ["matter_id", "folder_id", "category_id"])
def test_an_id_is_a_whole_number_that_clio_could_have_given(
    program: Program, clio: SandboxProcess, field: str, number: str
) -> None:
    fields: dict[str, Any] = {field: number}
    answer = program.submit(**fields)
    assert problem(answer)[0] == 422
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    "before",
    [
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-11-21T10:00:00",
        "1e400",
        "now",
        "\x00",
    ],
)
def test_a_page_begins_at_a_time_with_its_zone(program: Program, before: str) -> None:
    answer = program.client.get("/api/v1/drafts", {"before": before}, headers=program.headers)
    assert problem(answer)[0] == 422


def test_the_next_page_is_found_by_an_address_put_together_by_hand(
    program: Program, cast: Cast, waiting: Draft
) -> None:
    """`+` in an address is a space, so the time of the next page holds none."""
    key = ApiKey.objects.get()
    place = factories.destination(waiting.connection)
    for _ in range(101):
        factories.draft(submitter=cast.carol, place=place, api_key=key)
    first = program.get("/drafts").json()
    assert len(first["drafts"]) == 100
    second = program.get(f"/drafts?before={first['next']}")
    assert len(second.json()["drafts"]) == 1


def test_listing_costs_the_same_number_of_queries_however_many_drafts(
    program: Program, cast: Cast, waiting: Draft
) -> None:
    key, place = ApiKey.objects.get(), factories.destination(waiting.connection)

    def cost(drafts: int) -> int:
        for _ in range(drafts):
            row = factories.draft(submitter=cast.carol, place=place, api_key=key)
            factories.version(row, content=b"Second.\n", made_by=cast.carol)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert program.get("/drafts").status_code == 200
        return len(queries)

    cost(1)
    assert cost(1) == cost(5)


def test_a_key_whose_owner_may_no_longer_submit_opens_nothing(
    program: Program, cast: Cast, clio: SandboxProcess
) -> None:
    draft = program.submit().json()["id"]
    RoleGrant.objects.filter(user=cast.carol, role=Role.SUBMITTER).delete()
    for answer in (program.get("/drafts"), program.get(f"/drafts/{draft}"), program.submit(key="run-2")):
        assert problem(answer) == (403, "not_allowed")
    refusals = Entry.objects.filter(event=Event.API_KEY_REFUSED)
    assert {entry.outcome for entry in refusals} == {"denied"}
    assert {entry.content["detail"]["reason"] for entry in refusals} == {"owner_without_role"}


def test_a_version_that_is_refused_is_on_record_and_not_kept(
    program: Program, cast: Cast, waiting: Draft
) -> None:
    waiting.api_key, waiting.status = ApiKey.objects.get(), "withdrawn"
    waiting.save()
    answer = program.client.post(
        f"/api/v1/drafts/{waiting.pk}/versions",
        {**AI, "file": SimpleUploadedFile("Offer.txt", b"A version that nobody takes.\n")},
        headers=program.headers,
    )
    assert problem(answer) == (409, "wrong_state")
    refusal = Entry.objects.get(event=Event.DRAFT_SUBMISSION_REFUSED)
    assert (refusal.outcome, refusal.content["detail"]["reason"]) == ("denied", "wrong_state")
    assert not blobs.exists(hashlib.sha256(b"A version that nobody takes.\n").hexdigest())


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("get", "/api/v1/drafts", (401, "unauthorized")),
        ("delete", "/api/v1/drafts", (405, "method")),
        ("put", "/api/v1/drafts/00000000-0000-4000-8000-000000000000", (405, "method")),
        ("get", "/api/v1/drafts/7", (404, "not_found")),
        ("get", "/api/v1/nothing", (404, "not_found")),
        ("get", "/api/", (404, "not_found")),
    ],
)
def test_every_refusal_is_the_same_kind_of_json(
    client: Client, cast: Cast, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert problem(getattr(client, method)(path)) == expected


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; '
            b"filename*=no-such-code''x.txt\r\n\r\nHello\r\n--b--\r\n",
        ),
        ("application/json", b"{"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(1100))),
        ("application/x-www-form-urlencoded", b"note=" + b"x" * 2_700_000),
    ],
)
def test_a_body_that_cannot_be_read_is_a_bad_request(
    program: Program, clio: SandboxProcess, content_type: str, body: bytes
) -> None:
    answer = program.client.post(
        "/api/v1/drafts", body, content_type=content_type, headers={**program.headers, "Idempotency-Key": "k"}
    )
    assert problem(answer)[0] in {400, 422}


def test_strangers_cannot_fill_the_log_with_wrong_keys(client: Client, cast: Cast) -> None:
    for number in range(100):
        client.get("/api/v1/drafts", headers={"Authorization": f"Bearer csk_{number}"})
    assert 1 <= Entry.objects.filter(event=Event.API_KEY_REFUSED).count() <= 40  # the minute may turn
