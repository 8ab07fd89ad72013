"""Each point on which Clio is not certain, both ways. (Others stand with the subject they belong to.)"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.clio_sync.sandbox.test_oauth import BACK, code, exchange, refresh, who
from tests.clio_sync.sandbox.upload import confirm, reserve, transfer, upload
from tests.sandbox_process import SandboxProcess


def shown(clio: httpx.Client, document_id: int, fields: str) -> Any:
    answer = clio.get(f"/documents/{document_id}", params={"fields": fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_the_size_may_come_later_than_the_confirmation(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(size_lag_seconds=30)
    reserved = reserve(clio, matter_id)
    transfer(reserved, b"bytes")

    assert confirm(clio, reserved).json()["data"]["latest_document_version"]["size"] is None
    sandbox.advance(31)
    assert shown(clio, reserved["id"], "size") == {"size": 5}


def test_an_unfinished_newer_version_may_be_shown_or_not(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    first = upload(clio, matter_id, b"first")
    second = reserve(clio, first["id"], kind="Document")
    newest = "latest_document_version{uuid}"

    assert shown(clio, first["id"], newest) == {
        "latest_document_version": {"uuid": second["latest_document_version"]["uuid"]}
    }
    sandbox.switch(latest_version_shows_unfinished=False)
    assert shown(clio, first["id"], newest) == {
        "latest_document_version": {"uuid": first["latest_document_version"]["uuid"]}
    }


def test_a_bare_association_may_bring_its_name(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    def client() -> Any:
        return clio.get(f"/matters/{matter_id}", params={"fields": "client"}).json()["data"]["client"]

    assert set(client()) == {"id", "etag"}
    sandbox.switch(bare_association_has_name=True)
    assert set(client()) == {"id", "etag", "name"}


def test_lists_may_leave_out_how_many_there_are(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.switch(records_in_meta=False)

    assert clio.get("/users").json()["meta"] == {"paging": {}}


@pytest.mark.parametrize(("counts", "left"), [(True, "7"), (False, "8")])
def test_answers_not_modified_may_cost_nothing(
    clio: httpx.Client, sandbox: SandboxProcess, counts: bool, left: str
) -> None:
    sandbox.switch(rate_limit=10, rate_model="anchored", rate_counts_304=counts)
    etag = clio.get("/users/who_am_i").json()["data"]["etag"]
    clio.get("/users/who_am_i", headers={"IF-NONE-MATCH": etag})

    assert clio.get("/users/who_am_i").headers["x-ratelimit-remaining"] == left


@pytest.mark.parametrize(("counts", "second"), [(True, 429), (False, 200)])
def test_refused_calls_may_cost_as_well(
    clio: httpx.Client, sandbox: SandboxProcess, counts: bool, second: int
) -> None:
    sandbox.switch(rate_limit=1, rate_model="sliding", rate_counts_429=counts)
    clio.get("/users/who_am_i")
    sandbox.advance(59)
    refused = clio.get("/users/who_am_i")
    sandbox.advance(2)

    assert refused.status_code == 429
    assert clio.get("/users/who_am_i").status_code == second


def test_declining_may_always_come_back(sandbox: SandboxProcess) -> None:
    sandbox.switch(decline_always_redirects=True)
    answer = sandbox.decide(sandbox.authorize_url(BACK), decision="decline")

    assert sandbox.returned(answer) == {"error": "access_denied"}


def test_a_refresh_may_end_the_earlier_access_token(sandbox: SandboxProcess) -> None:
    sandbox.switch(refresh_ends_old_access=True)
    issued = sandbox.tokens()
    renewed = refresh(sandbox, issued["refresh_token"]).json()

    assert who(sandbox, issued["access_token"]).status_code == 401
    assert who(sandbox, renewed["access_token"]).status_code == 200


def test_a_new_refresh_token_may_come_while_the_old_still_works(sandbox: SandboxProcess) -> None:
    sandbox.switch(refresh_rotation="new")
    issued = sandbox.tokens()
    renewed = refresh(sandbox, issued["refresh_token"]).json()["refresh_token"]

    assert renewed != issued["refresh_token"]
    assert refresh(sandbox, issued["refresh_token"]).status_code == 200
    assert refresh(sandbox, renewed).status_code == 200


def test_using_a_code_again_may_leave_the_first_grant_alone(sandbox: SandboxProcess) -> None:
    sandbox.switch(code_reuse_kills_grant=False)
    given = code(sandbox)
    first = exchange(sandbox, given).json()

    assert exchange(sandbox, given).status_code == 400
    assert who(sandbox, first["access_token"]).status_code == 200


def test_a_trashed_document_may_still_be_shown(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document_id = upload(clio, matter_id, b"bytes")["id"]
    clio.delete(f"/documents/{document_id}")
    sandbox.switch(show_trashed=True)

    assert shown(clio, document_id, "deleted_at")["deleted_at"]


def test_external_properties_may_be_short(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(external_property_length=10)
    parent = {"id": matter_id, "type": "Matter"}
    long = [{"name": "operation", "value": "eleven char"}]
    body = {"data": {"name": "A.pdf", "parent": parent, "external_properties": long}}

    assert clio.post("/documents", json=body).status_code == 422


def test_error_types_may_be_others(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    sandbox.switch(
        not_found_type="A", gone_type="B", stale_etag_type="C", rate_limit_type="D", confirm_again_type="E",
        conflict_type="F", locked_type="G", locked_status=409, confirm_again_status=409,
    )  # fmt: skip
    reserved = upload(clio, matter_id, b"bytes")
    document = f"/documents/{reserved['id']}"
    answers = [
        clio.get("/matters/1"),
        clio.get("/matters", headers={"X-API-VERSION": "3"}),
        clio.patch(document, json={"data": {"name": "X.pdf"}}, headers={"IF-MATCH": '"old"'}),
        confirm(clio, reserved),
    ]
    sandbox.act("lock_document", document_id=reserved["id"])
    answers += [clio.delete(document), clio.patch(document, json={"data": {"name": "X.pdf"}})]
    sandbox.switch(rate_limit=0)
    answers.append(clio.get("/matters"))

    told = [(answer.status_code, answer.json()["error"]["type"]) for answer in answers]
    assert told == [(404, "A"), (410, "B"), (412, "C"), (409, "E"), (409, "F"), (409, "G"), (429, "D")]
