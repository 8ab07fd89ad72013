from __future__ import annotations

from typing import Any

import httpx
import pytest

from clio_sync.sandbox import fields
from clio_sync.sandbox.errors import Refusal


def test_without_fields_only_id_and_etag_are_selected() -> None:
    assert fields.parse(None, model="Document") == {"id": None, "etag": None}


def test_one_level_may_be_chosen_and_the_next_named() -> None:
    chosen = fields.parse("id,latest_document_version{uuid,put_headers,multiparts}", model="Document")

    headers = {"name": None, "value": None}
    assert chosen == {
        "id": None,
        "latest_document_version": {
            "uuid": None,
            "put_headers": headers,
            "multiparts": {"part_number": None, "put_url": None, "put_headers": headers},
        },
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,document_versions", "document_versions is not a valid field"),
        ("id,", "is not a valid field"),
        ("matter{id,nothing}", "nothing is not a valid field"),
        ("latest_document_version{creator{id}}", "creator} is not a valid field"),
        ("matter{id", "matter{id is not a valid field"),
        ("matter{}", "matter{ is not a valid field"),
        ("matter{id}name", "matter{id is not a valid field"),
        ("name{id}", "name is not a valid field"),
        ("id, name", " name is not a valid field"),
        ("id}", "id} is not a valid field"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, message: str) -> None:
    if text == "id,":
        assert fields.parse(text, model="Document") == {"id": None}
        return
    with pytest.raises(Refusal, match="is not a valid field") as refused:
        fields.parse(text, model="Document")

    assert (refused.value.status, refused.value.kind, refused.value.message) == (
        400,
        "InvalidFields",
        message,
    )


def test_a_bare_association_brings_its_defaults() -> None:
    assert fields.parse("matter", model="Document") == {"matter": {"id": None, "etag": None}}
    named = fields.parse("matter,parent", model="Document", bare=("id", "etag", "name"))
    assert named == {"matter": {"id": None, "etag": None}, "parent": {"id": None, "etag": None, "name": None}}


def test_only_what_is_asked_for_is_loaded() -> None:
    def explode() -> Any:
        raise AssertionError

    record = {"id": 1, "name": "Letter", "matter": explode, "creator": lambda: {"id": 2, "name": "Alice"}}

    assert fields.project(record, {"id": None, "creator": {"name": None}}) == {
        "id": 1,
        "creator": {"name": "Alice"},
    }


@pytest.mark.parametrize("raw", ["fields=id,client{id}", "fields=id%2Cclient%7Bid%7D"])
def test_braces_may_be_encoded_or_not(clio: httpx.Client, raw: str) -> None:
    answer = clio.get(f"/matters.json?{raw}&limit=1")

    assert set(answer.json()["data"][0]) == {"id", "client"}


def test_a_refused_field_undoes_the_call(clio: httpx.Client, matter_id: int) -> None:
    body = {"data": {"name": "Letter.pdf", "parent": {"id": matter_id, "type": "Matter"}}}
    answer = clio.post("/documents.json", params={"fields": "id,checksum"}, json=body)
    found = clio.get("/documents", params={"show_uncompleted": "true", "fields": "name"}).json()["data"]

    assert answer.status_code == 400
    assert "Letter.pdf" not in [document["name"] for document in found]


def test_posts_and_patches_also_answer_only_the_defaults(clio: httpx.Client, matter_id: int) -> None:
    body = {"data": {"name": "Letter.pdf", "parent": {"id": matter_id, "type": "Matter"}}}
    made = clio.post("/documents", json=body).json()["data"]
    changed = clio.patch(f"/documents/{made['id']}", json={"data": {"name": "Other.pdf"}}).json()["data"]

    assert set(made) == set(changed) == {"id", "etag"}
    assert made["etag"] != changed["etag"]
