from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox_process import SandboxProcess


def walk(clio: httpx.Client, path: str, **query: str) -> list[httpx.Response]:
    answers = [clio.get(path, params=query or None)]
    while following := answers[-1].json()["meta"]["paging"].get("next"):
        answers.append(clio.get(following))
    return answers


def ids(answers: list[httpx.Response]) -> list[int]:
    return [record["id"] for answer in answers for record in answer.json()["data"]]


def test_the_cursor_leads_through_everything_once(clio: httpx.Client) -> None:
    answers = walk(clio, "/matters.json", fields="id", limit="7", order="id(asc)")

    assert len(answers) == 9
    assert len(set(ids(answers))) == 60
    assert ids(answers) == sorted(ids(answers))
    assert {answer.json()["meta"]["records"] for answer in answers} == {60}


def test_links_are_whole_and_left_out_at_the_ends(clio: httpx.Client, sandbox: SandboxProcess) -> None:
    answers = walk(clio, "/matters.json", fields="id,client{id}", limit="25")
    first, middle, last = [answer.json()["meta"]["paging"] for answer in answers]

    assert set(first) == {"next"}
    assert set(middle) == {"previous", "next"}
    assert set(last) == {"previous"}
    assert first["next"].startswith(
        f"{sandbox.api_url}/api/v4/matters.json?fields=id%2Cclient%7Bid%7D&limit=25&page_token="
    )
    assert ids([clio.get(middle["previous"])]) == ids(answers[:1])


def test_rows_added_behind_the_cursor_are_not_seen_twice(clio: httpx.Client, matter_id: int) -> None:
    for name in "abc":
        clio.post("/folders", json={"data": {"name": name, "parent": {"id": matter_id, "type": "Matter"}}})
    first = clio.get("/folders", params={"matter_id": matter_id, "limit": "4"})
    clio.post("/folders", json={"data": {"name": "d", "parent": {"id": matter_id, "type": "Matter"}}})
    rest = walk(clio, first.json()["meta"]["paging"]["next"])

    assert len(ids([first, *rest])) == len(set(ids([first, *rest]))) == 8


def test_any_other_order_counts_by_offset(clio: httpx.Client) -> None:
    answers = walk(clio, "/matters", fields="id,display_number", limit="20", order="display_number(desc)")
    numbers = [matter["display_number"] for answer in answers for matter in answer.json()["data"]]

    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 60
    assert "offset=20" in answers[0].json()["meta"]["paging"]["next"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "ten"},
        {"offset": "9990"},
        {"offset": "-1"},
        {"order": "colour(asc)"},
        {"page_token": "garbage"},
        {"page_token": "eyJhZnRlciI6ICJ4In0"},
        {"status": "archived"},
        {"created_since": "yesterday"},
        {"ids[]": "1; DROP TABLE matter"},
        {"client_id": "99999999999999999999"},
    ],
)
def test_nonsense_is_an_argument_error(clio: httpx.Client, query: dict[str, str]) -> None:
    answer = clio.get("/matters.json", params=query)

    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "ArgumentError"


def test_matters_are_found_by_status_ids_and_words(clio: httpx.Client, matter_id: int) -> None:
    def found(**query: str) -> list[dict[str, Any]]:
        fields = {"fields": "id,display_number,status,client{name}"}
        data: list[dict[str, Any]] = clio.get("/matters", params={**fields, **query}).json()["data"]
        return data

    assert {matter["status"] for matter in found(status="open,pending")} == {"Open", "Pending"}
    assert {matter["status"] for matter in found(status="closed")} == {"Closed"}
    assert [matter["id"] for matter in found(**{"ids[]": str(matter_id)})] == [matter_id]
    assert [matter["display_number"] for matter in found(query="2026-0042")] == ["2026-0042"]
    assert [matter["id"] for matter in found(query="northgate lease")] == [matter_id]
    assert found(query="north_ate") == []


def test_the_search_index_lags_behind_writes(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(search_lag_seconds=30)
    sandbox.act("rename_matter", matter_id=matter_id, description="Sublease of the quay")

    def count(query: str) -> int:
        return int(clio.get("/matters", params={"query": query}).json()["meta"]["records"])

    assert (count("2026-0042 quay"), count("2026-0042 lease")) == (0, 1)
    sandbox.advance(31)
    assert (count("2026-0042 quay"), count("2026-0042 commercial")) == (1, 0)
