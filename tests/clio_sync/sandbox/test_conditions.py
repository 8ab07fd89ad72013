"""Etags, versions of the API, permissions of people."""

from __future__ import annotations

import httpx

from tests.clio_sync.sandbox.upload import upload
from tests.sandbox_process import ALICE, BOB, SandboxProcess


def test_a_known_state_is_not_sent_again(clio: httpx.Client, matter_id: int) -> None:
    url, query = f"/matters/{matter_id}.json", {"fields": "id,etag"}
    first = clio.get(url, params=query)
    etag = first.json()["data"]["etag"]
    again = clio.get(url, params=query, headers={"IF-NONE-MATCH": etag})
    since = clio.get(url, params=query, headers={"IF-MODIFIED-SINCE": first.headers["last-modified"]})

    assert first.headers["etag"] == etag
    assert etag.startswith('"')
    assert len(etag) == 34
    assert (again.status_code, again.content) == (304, b"")
    assert since.status_code == 304
    assert clio.get(url, params=query, headers={"IF-NONE-MATCH": '"other"'}).status_code == 200


def test_a_change_in_between_fails_the_precondition(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document_id = upload(clio, matter_id, b"bytes")["id"]
    etag = clio.get(f"/documents/{document_id}").json()["data"]["etag"]
    sandbox.act("rename_document", document_id=document_id, name="By hand.docx")
    change = {"data": {"name": "By program.docx"}}
    stale = clio.patch(f"/documents/{document_id}", json=change, headers={"IF-MATCH": etag})
    fresh = clio.get(f"/documents/{document_id}").json()["data"]["etag"]
    good = clio.patch(f"/documents/{document_id}", json=change, headers={"IF-MATCH": fresh})

    assert stale.status_code == 412
    assert good.status_code == 200
    assert good.json()["data"]["etag"] != fresh


def test_a_retired_version_of_the_api_is_gone(clio: httpx.Client) -> None:
    retired = clio.get("/matters", headers={"X-API-VERSION": "4.0.999"})
    pinned = clio.get("/matters", headers={"X-API-VERSION": "4.0.12"})

    assert retired.status_code == 410
    assert pinned.headers["x-api-version"] == "4.0.12"
    assert clio.get("/matters").headers["x-api-version"] == "4.0.13"


def test_unknown_paths_and_methods_are_not_found(clio: httpx.Client) -> None:
    assert clio.get("/audit_trail.json").status_code == 404
    assert clio.put("/documents/1.json").status_code == 404
    assert clio.get("/documents/abc").status_code == 404


def test_a_matter_hidden_from_a_user_does_not_exist_for_that_user(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document_id = upload(clio, matter_id, b"bytes")["id"]
    sandbox.act("hide_matter", matter_id=matter_id, user_id=BOB)
    bob = {"Authorization": f"Bearer {sandbox.tokens(BOB)['access_token']}"}
    body = {"data": {"name": "Note.txt", "parent": {"id": matter_id, "type": "Matter"}}}

    assert clio.get("/matters", headers=bob).json()["meta"]["records"] == 59
    assert clio.get(f"/matters/{matter_id}", headers=bob).status_code == 404
    assert clio.get(f"/documents/{document_id}", headers=bob).status_code == 404
    assert clio.post("/documents", json=body, headers=bob).status_code == 404
    assert clio.get(f"/matters/{matter_id}").status_code == 200


def test_a_hidden_client_is_redacted(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    url, query = f"/matters/{matter_id}", {"fields": "client{id,name}"}
    client = clio.get(url, params=query).json()["data"]["client"]
    sandbox.act("hide_contact", contact_id=client["id"], user_id=ALICE)

    assert clio.get(url, params=query).json()["data"] == {"client": {"id": client["id"], "redacted": True}}
