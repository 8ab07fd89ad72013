from __future__ import annotations

import httpx
import pytest

from clio_sync.sandbox import acts, control, faults
from clio_sync.sandbox.routes import ROUTES
from clio_sync.sandbox.switches import SWITCHES
from tests.clio_contract.checker import problems_of, request_problems_of
from tests.clio_sync.sandbox.upload import confirm, reserve, transfer, upload
from tests.sandbox_process import ALICE, BOB, ROOT, SandboxProcess


def test_every_route_answers_as_the_contract_says(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    """Each route, with every field its record has, and once without ``.json``."""
    from clio_sync.sandbox.shapes import SHAPES

    def everything(model: str) -> str:
        shape = SHAPES[model]
        return ",".join(sorted({*shape.attributes, *shape.associations}))

    client = clio.get(f"/matters/{matter_id}", params={"fields": "client{id},folder{id}"}).json()["data"]
    document = upload(clio, matter_id, b"bytes", document_category={"id": 41007})["id"]
    matter, contact, folder = everything("Matter"), everything("Contact"), everything("Folder")
    for path, fields in {
        "/users/who_am_i.json": everything("User"),
        "/users.json": everything("User"),
        f"/users/{ALICE}": everything("User"),
        "/matters.json": matter,
        f"/matters/{matter_id}": matter,
        f"/matters/{matter_id}/client.json": everything("Client"),
        "/matter_stages.json": everything("MatterStage"),
        "/practice_areas": everything("PracticeArea"),
        "/practice_areas/5101.json": everything("PracticeArea"),
        "/contacts.json": contact,
        f"/contacts/{client['client']['id']}": contact,
        "/document_categories.json": everything("DocumentCategory"),
        "/document_categories/41007": everything("DocumentCategory"),
        "/folders.json": folder,
        f"/folders/{client['folder']['id']}": folder,
        "/documents.json": everything("Document"),
        f"/documents/{document}": everything("Document"),
        f"/documents/{document}/versions.json": everything("DocumentVersion"),
    }.items():
        answer = clio.get(path, params={"fields": fields})
        assert answer.status_code == 200, f"{path} {answer.text}"
    clio.get(f"/documents/{document}/download.json")
    parent = {"id": matter_id, "type": "Matter"}
    made = clio.post(
        "/folders.json", params={"fields": folder}, json={"data": {"name": "Notes", "parent": parent}}
    )
    clio.patch(
        f"/folders/{made.json()['data']['id']}", params={"fields": folder}, json={"data": {"name": "Memos"}}
    )
    clio.delete(f"/folders/{made.json()['data']['id']}")
    clio.delete(f"/documents/{document}.json")

    calls = sandbox.calls(listener="api")
    assert problems_of(calls) == []
    assert request_problems_of(calls) == []
    assert {call["route"] for call in calls} == {route.name for route in ROUTES}
    assert {call["status"] for call in calls} == {200, 201, 204, 303}


def test_the_ledger_tells_who_asked_what_and_how_it_ended(
    clio: httpx.Client, sandbox: SandboxProcess
) -> None:
    before = sandbox.last_call_id()
    answer = clio.get("/matters.json", params={"fields": "id", "limit": "1"})
    (call,) = sandbox.calls(since=before)

    assert call["route"] == "matters.list"
    assert call["query"] == [["fields", "id"], ["limit", "1"]]
    assert (call["user_id"], call["status"], call["outcome"]) == (ALICE, 200, "answered")
    assert call["request_id"] == answer.headers["x-request-id"]
    assert call["headers"]["authorization"] == f"[token {call['token_id']}]"
    assert call["response_body"] == answer.json()
    assert call["milliseconds"] > 0
    assert sandbox.calls(since=before, route="matters.show") == []


def test_the_ledger_hides_signatures(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    reserved = reserve(clio, matter_id)
    transfer(reserved, b"bytes")
    signature = reserved["latest_document_version"]["put_url"].rpartition("=")[2]

    assert len(signature) == 64
    assert signature not in str(sandbox.calls())


def test_the_clock_moves_and_comes_back(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/clock", {"set": "2030-01-01T12:00:00Z"})

    assert sandbox.health()["now"].startswith("2030-01-01T12:00")
    sandbox.control("POST", "/clock", {"reset": True})
    assert not sandbox.health()["now"].startswith("2030")


def test_a_person_in_clio_can_change_things(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document_id = upload(clio, matter_id, b"bytes")["id"]

    def status() -> int:
        return clio.get(f"/documents/{document_id}").status_code

    sandbox.act("close_matter", matter_id=matter_id)
    closed = clio.get(f"/matters/{matter_id}", params={"fields": "status,close_date"}).json()["data"]
    assert closed["status"] == "Closed"
    assert closed["close_date"]
    sandbox.act("trash_document", document_id=document_id)
    assert status() == 404
    sandbox.act("restore_document", document_id=document_id)
    assert status() == 200
    sandbox.act("lock_document", document_id=document_id)
    assert clio.patch(f"/documents/{document_id}", json={"data": {"name": "X.pdf"}}).status_code == 403
    sandbox.act("purge_document", document_id=document_id)
    assert status() == 404
    sandbox.act("disable_user", user_id=ALICE)
    assert clio.get("/users/who_am_i").status_code == 401


def test_every_act_says_what_it_needs(sandbox: SandboxProcess) -> None:
    for name in acts._ACTS:
        answer = sandbox.http.post(f"{sandbox.control_url}/act", json={"act": name})
        assert answer.status_code == (200 if name in {"revoke_grant", "expire_tokens"} else 400), name
    assert sandbox.http.post(f"{sandbox.control_url}/act", json={"act": "burn_down"}).status_code == 400


def test_expired_tokens_can_still_be_refreshed(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    issued = sandbox.tokens(BOB)
    sandbox.act("expire_tokens", user_id=BOB)
    bob = {"Authorization": f"Bearer {issued['access_token']}"}

    assert clio.get("/users/who_am_i", headers=bob).status_code == 401
    assert clio.get("/users/who_am_i").status_code == 200


def test_more_matters_can_be_seeded(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/seed", {"matters": 300})

    assert clio.get("/matters").json()["meta"]["records"] == 360


def test_a_reset_puts_everything_back(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    upload(clio, matter_id, b"bytes")
    sandbox.fault("*", "status")
    sandbox.switch(rate_limit=1)
    sandbox.reset()

    assert sandbox.documents() == sandbox.calls() == []
    assert sandbox.control("GET", "/faults")["faults"] == []
    assert sandbox.control("GET", "/switches")["switches"]["rate_limit"]["value"] == 50
    assert sandbox.health()["counts"]["matter"] == 60
    assert clio.get("/matters").status_code == 401


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_can_be_read_and_set(sandbox: SandboxProcess, name: str) -> None:
    switch = SWITCHES[name]
    for value in (*switch.choices, switch.default):
        assert sandbox.control("POST", "/switches", {name: value})["switches"][name] == value
    assert switch.meaning.endswith(".")


@pytest.mark.parametrize(
    "wanted", [{"rate_limit": "many"}, {"rate_model": "weekly"}, {"nothing": 1}, {"rate_limit": True}]
)
def test_a_switch_that_is_not_understood_changes_nothing(
    sandbox: SandboxProcess, wanted: dict[str, object]
) -> None:
    answer = sandbox.http.post(f"{sandbox.control_url}/switches", json={"search_lag_seconds": 9, **wanted})

    assert answer.status_code == 400
    assert sandbox.control("GET", "/switches")["switches"]["search_lag_seconds"]["value"] == 2.0


def test_web_pages_cannot_use_the_control_api(sandbox: SandboxProcess) -> None:
    reset = f"{sandbox.control_url}/reset"

    assert sandbox.http.post(reset, json={}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert (
        sandbox.http.get(f"{sandbox.control_url}/ledger", headers={"Host": "evil.example"}).status_code == 403
    )
    assert sandbox.http.post(reset, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 400
    assert (
        sandbox.http.post(reset, content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )


def test_a_retried_confirmation_is_an_error_or_a_yes(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = upload(clio, matter_id, b"bytes")
    refused = confirm(clio, reserved)
    sandbox.switch(confirm_again="ok")

    assert (refused.status_code, refused.json()["error"]["type"]) == (422, "ArgumentError")
    assert confirm(clio, reserved).status_code == 200


def test_a_timed_out_confirmation_can_be_sent_again(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(confirm_times_out=1, upload_error_status=500)
    reserved = reserve(clio, matter_id)
    transfer(reserved, b"bytes")
    first = confirm(clio, reserved)

    assert (first.status_code, first.json()["error"]["type"]) == (500, "UploadTimeoutError")
    assert confirm(clio, reserved).status_code == 200


def test_a_trashed_reservation_can_be_confirmed_or_not(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id)
    transfer(reserved, b"bytes")
    sandbox.switch(delete_unfinished="409")
    assert clio.delete(f"/documents/{reserved['id']}").status_code == 409
    sandbox.switch(delete_unfinished="trash")
    assert clio.delete(f"/documents/{reserved['id']}").status_code == 204
    assert confirm(clio, reserved).status_code == 404
    sandbox.switch(confirm_trashed=True)
    assert confirm(clio, reserved).status_code == 200
    assert not sandbox.documents()[0]["visible"]


def test_the_handbook_names_every_switch_act_call_and_fault() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text()
    calls = {f"/{pattern.split('/')[1]}" for _, pattern, _ in control._ROUTES}

    for name in (*SWITCHES, *acts._ACTS, *faults.KINDS):
        assert f"`{name}`" in text, name
    for path in calls:
        assert path in text, path
