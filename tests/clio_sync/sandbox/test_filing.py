"""Where documents and folders go, how they are found again, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.clio_sync.sandbox.upload import reserve, upload
from tests.sandbox_process import SandboxProcess


def folder_id(clio: httpx.Client, matter_id: int, name: str) -> int:
    folders = clio.get("/folders", params={"matter_id": matter_id, "fields": "id,name"}).json()["data"]
    return next(int(folder["id"]) for folder in folders if folder["name"] == name)


def listed(clio: httpx.Client, **query: object) -> list[Any]:
    shown = {name: str(value) for name, value in query.items()}
    answer = clio.get("/documents", params={"fields": "id,name", **shown})
    assert answer.status_code == 200, answer.text
    return [document["name"] for document in answer.json()["data"]]


def test_a_document_may_go_into_a_matter_a_folder_or_to_a_contact(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    folder = folder_id(clio, matter_id, "Agreements")
    client = clio.get(f"/matters/{matter_id}", params={"fields": "client{id,name}"}).json()["data"]["client"]
    upload(clio, matter_id, b"1", name="A.pdf")
    upload(clio, folder, b"2", kind="Folder", name="B.pdf")
    upload(clio, client["id"], b"3", kind="Contact", name="C.pdf")
    upload(clio, client["id"], b"4", kind="Contact", name="D.pdf")
    kept = sandbox.documents()

    assert [document["matter_id"] for document in kept] == [matter_id, matter_id, None, None]
    assert [document["folder"] for document in kept] == [
        "2026-0042",
        "Agreements",
        client["name"],
        client["name"],
    ]
    assert kept[2]["folder_id"] == kept[3]["folder_id"]
    assert listed(clio, contact_id=client["id"]) == ["C.pdf", "D.pdf"]


def test_lists_know_children_from_descendants(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    root = clio.get(f"/matters/{matter_id}", params={"fields": "folder{id}"}).json()["data"]["folder"]["id"]
    upload(clio, matter_id, b"1", name="Top.pdf")
    upload(clio, folder_id(clio, matter_id, "Closing documents"), b"2", kind="Folder", name="Deep.pdf")

    assert listed(clio, parent_id=root) == ["Top.pdf"]
    assert {"Top.pdf", "Deep.pdf"} <= set(listed(clio, parent_id=root, scope="descendants"))
    assert {"Top.pdf", "Deep.pdf"} <= set(listed(clio, matter_id=matter_id))
    sandbox.switch(matter_id_includes_subfolders=False)
    assert listed(clio, matter_id=matter_id) == ["Top.pdf"]
    assert "Top.pdf" not in listed(clio, matter_id="null")


def test_an_operation_is_found_by_its_external_property(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    def found(**query: object) -> list[Any]:
        asked = {"external_property_name": "operation", "external_property_value": "op-7", **query}
        return listed(clio, matter_id=matter_id, **asked)

    sandbox.switch(external_property_lag_seconds=5)
    reserve(clio, matter_id, name="Mine.pdf", external_properties=[{"name": "operation", "value": "op-7"}])
    reserve(clio, matter_id, name="Other.pdf", external_properties=[{"name": "operation", "value": "op-8"}])

    assert found(show_uncompleted="true") == []
    sandbox.advance(6)
    assert found() == []
    assert found(show_uncompleted="true") == ["Mine.pdf"]
    sandbox.switch(unfinished_found_by_property=False)
    assert found(show_uncompleted="true") == []


def test_five_external_properties_are_the_most(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    def properties(count: int) -> list[dict[str, str]]:
        return [{"name": f"n{number}", "value": "v"} for number in range(count)]

    parent = {"id": matter_id, "type": "Matter"}
    six = {"name": "A.pdf", "parent": parent, "external_properties": properties(6)}
    refused = clio.post("/documents", json={"data": six})
    document_id = upload(clio, matter_id, b"1", external_properties=properties(5))["id"]
    again = {
        "name": "A.pdf",
        "parent": {"id": document_id, "type": "Document"},
        "external_properties": properties(1),
    }

    assert refused.status_code == 422
    assert "limited to 5" in refused.json()["error"]["message"]
    assert len(sandbox.documents()) == 1
    assert clio.post("/documents", json={"data": again}).status_code == 422
    sandbox.switch(version_properties="ignored")
    assert clio.post("/documents", json={"data": again}).status_code == 201


def test_external_properties_can_be_changed_and_removed(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document_id = upload(
        clio, matter_id, b"1", external_properties=[{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    )["id"]
    url, query = f"/documents/{document_id}", {"fields": "external_properties{id,name,value}"}
    first, second = clio.get(url, params=query).json()["data"]["external_properties"]
    change = [
        {"id": first["id"], "value": "9"},
        {"id": second["id"], "_destroy": True},
        {"name": "c", "value": "3"},
    ]
    clio.patch(url, json={"data": {"external_properties": change}})

    assert sandbox.document(document_id)["external_properties"] == [
        {"name": "a", "value": "9"},
        {"name": "c", "value": "3"},
    ]


def test_documents_are_renamed_moved_and_restored(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    document_id = upload(clio, matter_id, b"1")["id"]
    url, folder = f"/documents/{document_id}", folder_id(clio, matter_id, "Agreements")
    moved = {
        "name": "Signed.docx",
        "parent": {"id": folder, "type": "Folder"},
        "document_category": {"id": 41010},
    }
    answer = clio.patch(
        url, params={"fields": "name,parent{name},document_category{name}"}, json={"data": moved}
    )
    clio.delete(url)
    gone = clio.get(url).status_code
    listed_trash = listed(clio, matter_id=matter_id, include_deleted="true")
    clio.patch(url, json={"data": {"restore": True}})

    assert answer.json()["data"] == {
        "name": "Signed.docx",
        "parent": {"name": "Agreements"},
        "document_category": {"name": "Agreements"},
    }
    assert (gone, clio.get(url).status_code) == (404, 200)
    assert "Signed.docx" in listed_trash


def test_trashing_a_folder_takes_what_is_in_it(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    parent = {"id": matter_id, "type": "Matter"}
    outer = clio.post("/folders", json={"data": {"name": "Outer", "parent": parent}}).json()["data"]["id"]
    inner = clio.post("/folders", json={"data": {"name": "Inner", "parent": {"id": outer, "type": "Folder"}}})
    upload(clio, inner.json()["data"]["id"], b"1", kind="Folder")
    root = clio.get(f"/matters/{matter_id}", params={"fields": "folder{id}"}).json()["data"]["folder"]["id"]
    itself = {"data": {"parent": {"id": inner.json()["data"]["id"], "type": "Folder"}}}

    assert clio.patch(f"/folders/{outer}", json=itself).status_code == 422
    assert clio.delete(f"/folders/{outer}").status_code == 204
    assert sandbox.documents()[0]["deleted_at"]
    refused = clio.delete(f"/folders/{root}")
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "DeleteFailed")
    assert refused.json()["error"]["message"].startswith("Delete failed:")


def test_duplicate_folder_names_are_allowed(clio: httpx.Client, matter_id: int) -> None:
    folder = {"data": {"name": "Correspondence", "parent": {"id": matter_id, "type": "Matter"}}}

    assert clio.post("/folders", json=folder).status_code == 201


def test_a_closed_matter_may_take_documents_or_not(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.act("close_matter", matter_id=matter_id)
    reserve(clio, matter_id)
    sandbox.switch(closed_matter_refuses=True)
    body = {"data": {"name": "Late.pdf", "parent": {"id": matter_id, "type": "Matter"}}}

    assert clio.post("/documents", json=body).status_code == 422


def test_the_type_is_told_by_the_extension(clio: httpx.Client, matter_id: int) -> None:
    parent, query = {"id": matter_id, "type": "Matter"}, {"fields": "content_type"}

    def kind(name: str, **more: str) -> tuple[int, Any]:
        answer = clio.post(
            "/documents", params=query, json={"data": {"name": name, "parent": parent, **more}}
        )
        return answer.status_code, answer.json().get("data", {}).get("content_type")

    assert kind("Memo.md") == (201, "text/markdown")
    assert kind("Scan.PDF") == (201, "application/pdf")
    assert kind("Model.xyz123") == (422, None)
    assert kind("Model.xyz123", content_type="application") == (201, "application")


_ODD: tuple[Any, ...] = (
    None,
    0,
    -1,
    1.5,
    True,
    "",
    "x",
    "null",
    [],
    [1],
    {},
    {"id": None},
    {"id": []},
    "9" * 30,
    "\x00",
    {"id": {"id": 1}},
)


_KEYS = (
    *("name", "filename", "parent", "content_type", "document_category", "external_properties"),
    *("multiparts", "received_at", "uuid", "fully_uploaded", "restore"),
)


@pytest.mark.parametrize("name", _KEYS)
def test_no_value_however_odd_breaks_the_sandbox(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int, name: str
) -> None:
    good = {"name": "Letter.pdf", "parent": {"id": matter_id, "type": "Matter"}}
    document_id = upload(clio, matter_id, b"1")["id"]
    odd = [*_ODD, {"id": matter_id, "type": []}, {"id": True, "type": "Matter"}]
    odd += [[{"part_number": value, "content_length": value, "content_md5": value}] for value in _ODD]
    odd += [[{"name": value, "value": value, "id": value}] for value in _ODD]
    odd += [[{"name": value, "value": value}] for value in _ODD]
    for value in odd:
        made = clio.post("/documents", json={"data": {**good, name: value}})
        changed = clio.patch(f"/documents/{document_id}", json={"data": {name: value}})
        folder = clio.post("/folders", json={"data": {**good, name: value}})
        assert {made.status_code, changed.status_code, folder.status_code} <= {200, 201, 404, 422}, repr(
            value
        )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"data": []}', b'{"data": null}', b"\xff\xfe", b'"x"', b"{}"]
)
def test_a_body_that_is_not_data_is_refused(clio: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    assert clio.post("/documents", content=body, headers=headers).status_code in {400, 422}
    assert clio.post("/folders", content=body, headers=headers).status_code in {400, 422}
