"""The three calls, by hand."""

from __future__ import annotations

from typing import Any

import httpx

RESERVE = {"fields": "id,latest_document_version{uuid,version_number,put_url,put_headers}"}
CONFIRM = {"fields": "id,latest_document_version{uuid,fully_uploaded,size}"}


def reserve(
    clio: httpx.Client, parent_id: int, *, kind: str = "Matter", name: str = "Letter.docx", **more: Any
) -> Any:
    body = {"data": {"name": name, "parent": {"id": parent_id, "type": kind}, **more}}
    response = clio.post("/documents.json", params=RESERVE, json=body)
    assert response.status_code == 201, response.text
    return response.json()["data"]


def put_headers(reserved: Any) -> dict[str, str]:
    return {header["name"]: header["value"] for header in reserved["latest_document_version"]["put_headers"]}


def transfer(reserved: Any, content: bytes, **headers: str) -> httpx.Response:
    url = reserved["latest_document_version"]["put_url"]
    return httpx.put(url, content=content, headers={**put_headers(reserved), **headers}, verify=False)


def confirm(clio: httpx.Client, reserved: Any) -> httpx.Response:
    body = {"data": {"uuid": reserved["latest_document_version"]["uuid"], "fully_uploaded": True}}
    return clio.patch(f"/documents/{reserved['id']}.json", params=CONFIRM, json=body)


def upload(clio: httpx.Client, parent_id: int, content: bytes, **more: Any) -> Any:
    reserved = reserve(clio, parent_id, **more)
    assert transfer(reserved, content).status_code == 200
    response = confirm(clio, reserved)
    assert response.status_code == 200, response.text
    return reserved
