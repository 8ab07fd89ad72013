from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from portal import blobs
from portal.accounts.models import ApiKey, User
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from reviews import actions
from reviews.models import Draft, Submission
from tests.cast import Cast
from tests.reviews.conftest import seen
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

TEXT = b"Dear Ms Okafor,\n\nWe offer to settle.\n"
AI = {"tool": "Draftsman", "model": "atlas", "model_version": "4.1", "task": "Settlement offer"}


class Program:
    """A drafting tool with a key."""

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def submit(
        self,
        *,
        name: str = "Settlement offer.txt",
        text: bytes = TEXT,
        key: str | None = "run-1",
        **fields: Any,
    ) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        data = {"matter_number": "2026-0042", **AI, **fields}
        data = {name: value for name, value in data.items() if value is not None}
        data["file"] = SimpleUploadedFile(name, text)
        return self.client.post("/api/v1/drafts", data, headers=headers)

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.headers)


@pytest.fixture
def program(cast: Cast, client: Client) -> Program:
    _, token = ApiKey.issue(name="drafting tool", owner=cast.carol, by=cast.dana)
    return Program(client, token)


def nothing_was_kept() -> bool:
    return not (Draft.objects.exists() or Submission.objects.exists())


def test_a_submission_becomes_a_waiting_draft_with_its_bytes_and_provenance(
    program: Program, clio: SandboxProcess
) -> None:
    answer = program.submit(title="Offer to Okafor")
    assert answer.status_code == 201, answer.content
    draft = Draft.objects.get()
    version = draft.latest_version
    assert version is not None
    assert answer.json()["id"] == str(draft.pk)
    assert answer.json()["status"] == "waiting"
    assert (draft.title, draft.matter_id) == ("Offer to Okafor", clio.matter_id())
    assert blobs.open_blob(version.sha256).read() == TEXT
    assert version.provenance["model"] == "atlas"
    assert Entry.objects.get(corr=str(draft.pk)).event == Event.DRAFT_SUBMITTED


def test_the_same_key_and_content_is_the_same_draft_and_other_content_a_conflict(
    program: Program, clio: SandboxProcess
) -> None:
    first = program.submit()
    again = program.submit()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    for change in ({"text": b"Other words.\n"}, {"name": "Other.txt"}, {"title": "Other"}):
        assert program.submit(**change).status_code == 409
    assert Draft.objects.count() == 1
    assert program.submit(key="run-2").status_code == 201


def test_an_idempotency_key_is_needed(program: Program, clio: SandboxProcess) -> None:
    answer = program.submit(key=None)
    assert answer.status_code == 422
    assert answer.json()["field"] == "Idempotency-Key"
    assert program.submit(key="x" * 201).json()["code"] == "key_length"
    assert nothing_was_kept()


@pytest.mark.parametrize("missing", list(AI))
def test_an_ai_draft_without_provenance_is_refused(
    program: Program, clio: SandboxProcess, missing: str
) -> None:
    change: dict[str, Any] = {missing: None}
    answer = program.submit(**change)
    assert (answer.status_code, answer.json()["code"]) == (422, "provenance")
    assert nothing_was_kept()


def test_a_person_made_draft_needs_none(program: Program, clio: SandboxProcess) -> None:
    assert (
        program.submit(made_by_ai="false", tool=None, model=None, model_version=None, task=None).status_code
        == 201
    )


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"text": b""}, 422, "empty"),
        ({"name": "Offer.pdf"}, 422, "mismatch"),
        ({"name": "Offer.exe"}, 422, "extension"),
        ({"name": "Offer\u202etxt.txt"}, 422, "name"),
        ({"name": "Offer\u0007.txt"}, 422, "name"),
        ({"matter_number": "1999-9999"}, 422, "unknown_matter"),
        ({"matter_number": None, "matter_id": 1}, 422, "unknown_matter"),
        ({"matter_number": None}, 422, "no_matter"),
        ({"connection": "00000000-0000-4000-8000-000000000000"}, 422, "unknown_connection"),
        ({"folder_id": 1}, 422, "unknown_folder"),
        ({"category_id": 1}, 422, "unknown_category"),
    ],
)
def test_bad_input_gets_a_plain_reason_and_leaves_nothing(
    program: Program, clio: SandboxProcess, change: dict[str, Any], status: int, code: str
) -> None:
    answer = program.submit(**change)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer.json()["message"].endswith(".")
    assert nothing_was_kept()
    refusal = Entry.objects.get(event=Event.DRAFT_SUBMISSION_REFUSED)
    assert refusal.outcome == "denied"


def test_a_closed_matter_takes_no_drafts(program: Program, clio: SandboxProcess) -> None:
    clio.act("close_matter", matter_id=clio.matter_id())
    answer = program.submit(matter_number=None, matter_id=str(clio.matter_id()))
    assert (answer.status_code, answer.json()["code"]) == (422, "closed_matter")
    assert nothing_was_kept()


def test_a_file_over_the_limit_is_refused_with_the_limit(
    program: Program, clio: SandboxProcess, settings: Settings
) -> None:
    settings.MAX_DRAFT_BYTES = 1024
    answer = program.submit(text=b"x" * 1025)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert nothing_was_kept()


def test_clio_out_of_reach_is_try_later_not_a_lost_draft(program: Program, clio: SandboxProcess) -> None:
    clio.fault("*", "status", status=503, count=20)
    answer = program.submit()
    assert (answer.status_code, answer.json()["code"]) == (503, "clio_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert nothing_was_kept()
    clio.clear_faults()
    assert program.submit().status_code == 201


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer csk_wrong", "Basic Y2Fyb2w6", "Bearer ../../"]
)
def test_without_a_key_there_is_nothing(client: Client, cast: Cast, authorization: str) -> None:
    for path in ("/api/v1/drafts", "/api/v1/drafts/00000000-0000-4000-8000-000000000000"):
        answer = client.get(path, headers={"Authorization": authorization})
        assert answer.status_code == 401
        assert not Entry.objects.filter(event=Event.DRAFT_SUBMITTED).exists()


def test_a_session_is_not_a_key(sign_in: Callable[[User], Client], cast: Cast) -> None:
    assert sign_in(cast.carol).get("/api/v1/drafts").status_code == 401


def test_a_revoked_key_and_a_key_of_a_departed_person_stop_at_once(
    program: Program, cast: Cast, clio: SandboxProcess
) -> None:
    assert program.get("/drafts").status_code == 200
    cast.carol.is_active = False
    cast.carol.save()
    assert program.get("/drafts").status_code == 401
    cast.carol.is_active = True
    cast.carol.save()
    ApiKey.objects.update(revoked_at="2026-11-21T00:00:00Z")
    assert program.submit().status_code == 401


def test_a_key_reads_only_what_it_submitted(program: Program, cast: Cast, clio: SandboxProcess) -> None:
    mine = program.submit().json()["id"]
    _, token = ApiKey.issue(name="another tool", owner=cast.carol, by=cast.dana)
    other = Program(program.client, token)
    assert other.get(f"/drafts/{mine}").status_code == 404
    assert other.get("/drafts").json()["drafts"] == []
    assert program.get(f"/drafts/{mine}").json()["id"] == mine


def test_a_key_opens_no_page_and_decides_nothing(program: Program, clio: SandboxProcess) -> None:
    draft = program.submit().json()["id"]
    for path in ("/", f"/drafts/{draft}/", "/clio/", "/log/"):
        answer = program.client.get(path, headers=program.headers)
        assert answer.status_code == 302
        assert "/account/login/" in answer.headers["Location"]
    answer = program.client.post(f"/drafts/{draft}/approve/", headers=program.headers)
    assert answer.status_code == 302
    assert Draft.objects.get().status == "waiting"


def test_the_submitter_hears_the_reason_and_answers_with_a_new_version(
    program: Program, cast: Cast, clio: SandboxProcess
) -> None:
    draft = Draft.objects.get(pk=program.submit().json()["id"])
    actions.return_for_changes(
        draft.pk,
        seen(draft),
        reason_code="facts",
        reason="The date is wrong.",
        by=cast.alice,
        actor=Actor.user(cast.alice),
    )
    told = program.get(f"/drafts/{draft.pk}").json()
    assert told["status"] == "returned"
    assert told["decisions"][0]["reason"] == "The date is wrong."
    answer = program.client.post(
        f"/api/v1/drafts/{draft.pk}/versions",
        {**AI, "file": SimpleUploadedFile("Settlement offer.txt", b"Corrected.\n")},
        headers=program.headers,
    )
    assert answer.status_code == 201, answer.content
    assert [version["number"] for version in answer.json()["versions"]] == [1, 2]
    assert answer.json()["status"] == "in_review"


def test_the_api_describes_itself(client: Client) -> None:
    described = client.get("/api/v1/openapi.json")
    assert described.status_code == 200
    assert set(described.json()["paths"]) == {
        "/api/v1/drafts",
        "/api/v1/drafts/{draft_id}",
        "/api/v1/drafts/{draft_id}/versions",
    }


def test_a_name_with_its_accents_apart_is_joined_not_refused(program: Program, clio: SandboxProcess) -> None:
    answer = program.submit(name="Re\u0301ponse.txt")
    assert answer.status_code == 201, answer.content
    assert answer.json()["versions"][0]["file_name"] == "R\u00e9ponse.txt"
