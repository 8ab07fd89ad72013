"""The checker must find what it is for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clio_contract.checker import Exchange, problems

DOCUMENT = {"data": {"name": "Letter.pdf", "parent": {"id": 1, "type": "Matter"}}}
CREATED = {"data": {"id": 1, "latest_document_version": {"uuid": "u", "put_url": None, "put_headers": []}}}


def create(body: Any = DOCUMENT, *, status: int = 201, answer: Any = CREATED, **query: Any) -> list[str]:
    return problems(
        Exchange(
            "POST",
            "/api/v4/documents.json",
            query=list(query.items()),
            body=body,
            status=status,
            answer=answer,
        )
    )


def test_a_good_exchange_has_no_problems() -> None:
    assert create(fields="id,latest_document_version{uuid,put_url,put_headers}") == []


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"parent": {"id": 1, "type": "Matter"}}},
        {"data": {"name": "Letter.pdf", "parent": {"id": "1", "type": "Matter"}}},
        {"data": {"name": "Letter.pdf", "parent": {"id": 1, "type": "Drawer"}}},
        {"data": {"name": "Letter.pdf", "parent": {"id": 1, "type": "Matter"}, "matter": {"id": 1}}},
        {"data": {"name": None, "parent": {"id": 1, "type": "Matter"}}},
        {"name": "Letter.pdf"},
        None,
    ],
)
def test_a_wrong_request_is_found(body: Any) -> None:
    assert create(body)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"id": "1"}},
        {"data": {"id": 1, "checksum": "x"}},
        {"data": {"id": 1, "created_at": "yesterday"}},
        {"data": {"id": 1, "latest_document_version": {"put_url": 3}}},
        {"data": {"id": 1, "size": 2**31}},
        {"data": {"id": 1, "type": "Folder"}},
        {"data": [{"id": 1}]},
        {"id": 1},
    ],
)
def test_a_wrong_answer_is_found(answer: Any) -> None:
    assert create(answer=answer)


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "id,checksum"},
        {"fields": "id,latest_document_version{uuid,secret}"},
        {"scope": "id"},
    ],
)
def test_a_wrong_parameter_is_found(query: dict[str, Any]) -> None:
    assert create(**query)


def test_unknown_operations_and_statuses_are_found() -> None:
    assert problems(Exchange("GET", "/api/v4/audit_trail.json", status=200, answer={}))
    assert problems(Exchange("PUT", "/api/v4/documents/1.json", status=200, answer={}))
    assert create(status=202)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("status", "open,pending", True),
        ("status", "Open", False),
        ("limit", "200", True),
        ("limit", "many", False),
        ("order", "id(asc)", True),
        ("order", "id", False),
        ("created_since", "2026-11-20T10:00:00Z", True),
        ("created_since", "last week", False),
    ],
)
def test_parameters_of_lists_are_read(name: str, value: str, right: bool) -> None:
    found = problems(
        Exchange("GET", "/api/v4/matters", query=[(name, value)], status=200, answer={"data": []})
    )
    assert (found == []) is right


def test_both_shapes_of_401_are_known() -> None:
    as_object = {"error": {"type": "UnauthorizedError", "message": "User is not authorized"}}
    as_text = {"error": "invalid_token", "error_description": "expired"}

    assert create(status=401, answer=as_object) == []
    assert create(status=401, answer=as_text) == []
    assert create(status=403, answer=as_text)
