from __future__ import annotations

import hashlib

import httpx

from tests.clio_sync.sandbox.upload import confirm, reserve, transfer, upload
from tests.sandbox_process import ALICE, SandboxProcess

LETTER = b"Dear Madam, we act for Northgate Logistics."


def test_three_calls_file_a_document(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    reserved = reserve(clio, matter_id, name="Letter.docx")
    stored = transfer(reserved, LETTER)
    answer = confirm(clio, reserved)

    assert stored.headers["etag"] == f'"{hashlib.md5(LETTER).hexdigest()}"'
    assert answer.json()["data"]["latest_document_version"] == {
        "uuid": reserved["latest_document_version"]["uuid"],
        "fully_uploaded": True,
        "size": len(LETTER),
    }
    (document,) = sandbox.documents()
    assert document["visible"]
    assert document["creator_id"] == ALICE
    assert document["matter_id"] == matter_id
    assert document["sha256"] == hashlib.sha256(LETTER).hexdigest()
    assert document["versions"][0]["stored_sha256"] == document["sha256"]
    routes = [call["route"] for call in sandbox.calls() if call["route"].startswith(("documents", "storage"))]
    assert routes == ["documents.create", "storage.put", "documents.update"]


def test_a_reservation_is_invisible_until_it_is_confirmed(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id)
    listed = clio.get("/documents", params={"matter_id": matter_id, "created_since": "2026-10-01T00:00:00Z"})
    everything = clio.get("/documents", params={"matter_id": matter_id, "show_uncompleted": "true"})

    assert listed.json()["data"] == []
    assert reserved["id"] in [document["id"] for document in everything.json()["data"]]
    sandbox.switch(unfinished_hidden=False)
    assert reserved["id"] in [document["id"] for document in clio.get("/documents").json()["data"]]


def test_confirming_without_bytes_is_refused(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id, name="Letter.docx")
    answer = confirm(clio, reserved)
    uuid = reserved["latest_document_version"]["uuid"]

    assert answer.status_code == 422
    assert answer.json() == {
        "error": {
            "type": "UploadNotFoundError",
            "message": "A matching remote file was not found for the file named Letter.docx"
            f" with UUID {uuid}",
        }
    }
    assert not sandbox.documents()[0]["visible"]


def test_a_new_version_keeps_the_document(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    first = upload(clio, matter_id, LETTER)
    second = upload(clio, first["id"], LETTER + b" Again.", kind="Document")

    assert second["id"] == first["id"]
    assert second["latest_document_version"]["version_number"] == 2
    (document,) = sandbox.documents()
    assert [version["fully_uploaded"] for version in document["versions"]] == [True, True]
    assert document["sha256"] == hashlib.sha256(LETTER + b" Again.").hexdigest()
