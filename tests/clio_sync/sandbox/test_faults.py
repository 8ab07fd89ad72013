from __future__ import annotations

import time

import httpx
import pytest

from tests.clio_contract.checker import problems_of
from tests.clio_sync.sandbox.upload import confirm, reserve, transfer, upload
from tests.sandbox_process import SandboxProcess

WHO = "/users/who_am_i"


def test_an_answer_can_be_lost_after_the_act(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.fault("documents.create", "lose_after")
    with pytest.raises(httpx.RemoteProtocolError):
        reserve(clio, matter_id)

    (document,) = sandbox.documents()
    assert not document["visible"]
    (call,) = sandbox.calls(route="documents.create")
    assert (call["outcome"], call["status"]) == ("lost after", 201)
    assert reserve(clio, matter_id)["id"] != document["id"]


def test_a_request_can_be_lost_before_the_act(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.fault("POST /api/v4/documents", "lose_before")
    with pytest.raises(httpx.RemoteProtocolError):
        reserve(clio, matter_id)

    assert sandbox.documents() == []
    (call,) = sandbox.calls(route="documents.create")
    assert (call["outcome"], call["status"]) == ("lost before", None)


def test_a_status_can_be_given_without_acting(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.fault(
        "documents.create", "status", status=503, body="<h1>Down</h1>", headers={"Retry-After": "7"}
    )
    body = {"data": {"name": "L.pdf", "parent": {"id": matter_id, "type": "Matter"}}}
    answer = clio.post("/documents", json=body)

    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "<h1>Down</h1>", "7")
    assert sandbox.documents() == []


def test_a_status_can_be_a_lie(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    sandbox.fault("documents.create", "status", status=504, act=True)
    body = {"data": {"name": "L.pdf", "parent": {"id": matter_id, "type": "Matter"}}}

    assert clio.post("/documents", json=body).status_code == 504
    assert len(sandbox.documents()) == 1


def test_an_answer_can_stop_in_the_middle(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.fault("matters.list", "truncate")

    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        clio.get("/matters")
    assert clio.get("/matters").status_code == 200


def test_an_answer_can_be_the_wrong_kind_of_thing(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.fault("users.who_am_i", "wrong_json")
    sandbox.fault("users.who_am_i", "wrong_json", body={"data": []})

    assert clio.get(WHO).text.startswith("<!doctype html>")
    assert clio.get(WHO).json() == {"data": []}
    assert set(clio.get(WHO).json()["data"]) == {"id", "etag"}


def test_the_connection_can_close_without_a_word(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.fault("users.who_am_i", "close")
    first = clio.get(WHO)

    assert first.status_code == 200
    assert "connection" not in first.headers
    assert clio.get(WHO).status_code == 200


def test_delays_come_before_or_after_the_act(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.fault("users.who_am_i", "delay", seconds=0.2)
    sandbox.fault("users.who_am_i", "delay", seconds=0.2, after=True)
    started = time.monotonic()
    clio.get(WHO)

    assert time.monotonic() - started >= 0.4


def test_a_slow_call_does_not_hold_up_the_others(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.fault("matters.list", "delay", seconds=60, count=None)
    with pytest.raises(httpx.ReadTimeout):
        clio.get("/matters", timeout=0.3)

    assert clio.get(WHO, timeout=30).status_code == 200


def test_a_delayed_call_does_not_outlive_a_reset(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    sandbox.fault("matters.list", "delay", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        clio.get("/matters", timeout=0.1)
    sandbox.reset()
    time.sleep(0.6)

    assert sandbox.calls() == []


def test_faults_wait_for_their_turn(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    fault_id = sandbox.fault("users.*", "status", status=500, nth=3, count=2)
    sandbox.control("DELETE", f"/faults/{fault_id}")
    sandbox.fault("GET /api/v4/users/*", "status", status=500, nth=3, count=2)
    statuses = [clio.get(WHO).status_code for _ in range(6)]

    assert statuses == [200, 200, 500, 500, 200, 200]
    (plan,) = sandbox.control("GET", "/faults")["faults"]
    assert (plan["hits"], plan["fired"]) == (6, 2)


def test_chance_can_be_repeated(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    def played() -> list[int]:
        sandbox.clear_faults()
        sandbox.fault(f"GET /api/v4{WHO}", "status", status=500, count=None, probability=0.5, seed=7)
        return [clio.get(WHO).status_code for _ in range(20)]

    first = played()
    assert first == played()
    assert {200, 500} == set(first)


def test_faults_reach_storage_and_oauth(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    reserved = reserve(clio, matter_id)
    sandbox.fault("storage.put", "lose_after")
    sandbox.fault("oauth.token", "status", status=502)
    with pytest.raises(httpx.RemoteProtocolError):
        transfer(reserved, b"bytes")

    assert confirm(clio, reserved).status_code == 200
    assert sandbox.http.post(f"{sandbox.api_url}/oauth/token").status_code == 502


def test_a_fault_can_choose_by_what_is_sent(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id)
    transfer(reserved, b"bytes")
    sandbox.fault("documents.update", "status", status=500, contains="fully_uploaded")
    renamed = clio.patch(f"/documents/{reserved['id']}", json={"data": {"name": "New.docx"}})

    assert renamed.status_code == 200
    assert confirm(clio, reserved).status_code == 500
    assert confirm(clio, reserved).status_code == 200


@pytest.mark.parametrize(
    ("route", "when"),
    [("documents.create", "reserved"), ("PUT /*", "transferred"), ("documents.update", "confirmed")],
)
def test_a_plan_can_be_for_one_document(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int, route: str, when: str
) -> None:
    sandbox.fault(route, "status", status=500, document="Hers.docx")
    upload(clio, matter_id, b"bytes", name="His.docx")

    met = "nothing"
    body = {"data": {"name": "Hers.docx", "parent": {"id": matter_id, "type": "Matter"}}}
    if clio.post("/documents.json", json=body).status_code == 500:
        met = "reserved"
    hers = reserve(clio, matter_id, name="Hers.docx")
    if transfer(hers, b"bytes").status_code == 500:
        met = "transferred"
    transfer(hers, b"bytes")
    if confirm(clio, hers).status_code == 500:
        met = "confirmed"
    assert met == when


@pytest.mark.parametrize(
    "plan",
    [
        {"route": "documents.create"},
        {"kind": "delay"},
        {"route": "x", "kind": "explode"},
        {"route": "x", "kind": "delay", "often": 3},
        [],
        "delay",
    ],
)
def test_a_plan_that_is_not_understood_is_refused(sandbox: SandboxProcess, plan: object) -> None:
    if plan == []:
        assert sandbox.control("POST", "/faults", plan) == {"ids": []}
        return
    answer = sandbox.http.post(f"{sandbox.control_url}/faults", json=plan)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.control("GET", "/faults")["faults"] == []


def test_calls_with_faults_are_still_asked_rightly(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.fault("documents.create", "wrong_json")
    clio.post("/documents", json={"data": {"name": "L.pdf", "parent": {"id": matter_id, "type": "Matter"}}})

    assert problems_of(sandbox.calls()) == []
