"""New folders: exactly one for a name in a place, whatever dies, whoever else comes, however Clio answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection as database

from clio_sync import deliveries
from clio_sync.models import Delivery, NewFolder
from clio_sync.problems import Problem
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from tests import factories
from tests.cast import Cast
from tests.clio_sync import folder_crowd
from tests.clio_sync.filing_kit import Died, Office, dying_at, happening_at, office
from tests.sandbox_process import ALICE, BOB, SandboxProcess

State, Hold = Delivery.State, Delivery.Hold
ROOT = Path(__file__).resolve().parents[2]
PATH = ("2026", "Smith & Söhne")
MAKE, LOOK, RESERVE = "folders.create", "folders.list", "documents.create"


@pytest.fixture
def firm(cast: Cast, clio_sandbox: SandboxProcess) -> Office:
    return office(cast, clio_sandbox)


def at_clio(firm: Office, method: str, path: str, **more: Any) -> Any:
    token = firm.clio.tokens(ALICE)["access_token"]
    answer = httpx.request(
        method,
        f"{firm.clio.api_url}/api/v4/{path}.json",
        headers={"Authorization": f"Bearer {token}"},
        **more,
    )
    assert answer.is_success, answer.text
    return answer.json()["data"] if answer.content else None


def folders_called(firm: Office, name: str) -> list[int]:
    query = {"fields": "id,name", "matter_id": firm.matter_id, "limit": 200}
    return [one["id"] for one in at_clio(firm, "GET", "folders", params=query) if one["name"] == name]


def a_folder(firm: Office, name: str, *, parent: int | None = None) -> int:
    place = {"id": parent or firm.matter_id, "type": "Folder" if parent else "Matter"}
    made = at_clio(firm, "POST", "folders", json={"data": {"name": name, "parent": place}})
    return int(made["id"])


def later(firm: Office) -> None:
    """Leases of folders end, and no request about one is still on its way."""
    folder_crowd.later()


def finish(firm: Office, delivery: Delivery) -> Delivery:
    for _ in range(8):
        later(firm)
        firm.later(delivery)
        if firm.work(delivery).state in Delivery.FINAL:
            break
    return delivery


def events() -> list[str]:
    entries = Entry.objects.filter(object_type="folder").order_by("seq")
    return [str(event) for event in entries.values_list("event", flat=True)]


def is_filed_in_one_folder(firm: Office, delivery: Delivery) -> bool:
    (outer,), (inner,) = (folders_called(firm, name) for name in PATH)
    (document,) = firm.visible()
    above = at_clio(firm, "GET", f"folders/{inner}", params={"fields": "id,parent{id}"})["parent"]["id"]
    return delivery.state == State.FILED and document["folder_id"] == inner and above == outer


def test_a_path_is_made_and_the_document_lies_in_it(firm: Office) -> None:
    delivery = firm.work(firm.approved(new_folders=PATH))
    assert is_filed_in_one_folder(firm, delivery), delivery.problem
    assert firm.api_calls().count(MAKE) == 2
    assert events() == [Event.FOLDER_CREATE_STARTED, Event.FOLDER_CREATED] * 2


def test_what_the_log_says_of_a_folder_holds_no_name(firm: Office) -> None:
    firm.work(firm.approved(new_folders=PATH))
    for entry in Entry.objects.filter(object_type="folder"):
        assert "Smith" not in bytes(entry.body).decode()


def test_without_a_new_folder_no_more_is_asked_of_clio(firm: Office) -> None:
    firm.work(firm.approved())
    assert firm.api_calls() == [RESERVE, "documents.update"]


def test_the_next_document_of_the_same_path_asks_nothing_more(firm: Office) -> None:
    firm.work(firm.approved(b"one", new_folders=PATH))
    before = len(firm.api_calls())
    firm.work(firm.approved(b"two", new_folders=("2026", "SMITH & SÖHNE")))
    assert firm.api_calls()[before:] == [RESERVE, "documents.update"]
    assert len({document["folder_id"] for document in firm.visible()}) == 1


def test_a_folder_that_is_there_is_used_and_of_equal_names_the_oldest(firm: Office) -> None:
    firm.clio.switch(search_lag_seconds=3600)
    oldest = a_folder(firm, "2026")
    a_folder(firm, "2026")
    below = a_folder(firm, "smith & söhne", parent=oldest)
    delivery = firm.work(firm.approved(new_folders=PATH))
    (document,) = firm.visible()
    assert (document["folder_id"], delivery.state) == (below, State.FILED)
    assert MAKE not in firm.api_calls()[3:]
    assert events() == [Event.FOLDER_FOUND] * 2


def test_a_folder_of_the_same_name_elsewhere_is_not_taken(firm: Office) -> None:
    elsewhere = a_folder(firm, "Elsewhere")
    a_folder(firm, "2026", parent=elsewhere)
    firm.work(firm.approved(new_folders=("2026",)))
    assert len(folders_called(firm, "2026")) == 2


@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("point", ["F01", "F02", "F03", "F04", "F05", "F06", "F07", "C04", "C06"])
def test_a_worker_dies_and_there_is_one_folder(firm: Office, point: str, hit: int) -> None:
    delivery = firm.approved(new_folders=PATH)
    if point == "C06":
        firm.clio.fault(RESERVE, "lose_after")
    with dying_at(point, hit=1 if point.startswith("C") else hit), pytest.raises(Died):
        firm.work(delivery)
    finish(firm, delivery)
    assert is_filed_in_one_folder(firm, delivery), delivery.problem


@pytest.mark.parametrize("lost", ["lose_after", "lose_before"])
@pytest.mark.parametrize("dies", [False, True])
def test_a_lost_answer_is_looked_for_once_it_must_be_over(firm: Office, lost: str, dies: bool) -> None:
    firm.clio.switch(search_lag_seconds=3600)
    firm.clio.fault(MAKE, lost)
    delivery = firm.approved(new_folders=PATH)
    if dies:
        with dying_at("F08"), pytest.raises(Died):
            firm.work(delivery)
    else:
        assert firm.work(delivery).problem == Problem.LOST_ANSWER
        assert delivery.hold == Hold.RETRY
    before = len(firm.api_calls())
    firm.later(delivery)
    if dies:
        NewFolder.objects.update(lease_until=None)
    assert firm.work(delivery).problem == Problem.LOST_ANSWER, "too early to look"
    assert len(firm.api_calls()) == before
    finish(firm, delivery)
    assert is_filed_in_one_folder(firm, delivery), delivery.problem


def test_a_worker_that_oversleeps_before_the_request_sends_none(firm: Office) -> None:
    """Its claim ends while it sleeps, another makes the folder, then it wakes up."""
    first, second = firm.approved(b"one", new_folders=PATH), firm.approved(b"two", new_folders=PATH)

    def meanwhile() -> None:
        later(firm)
        finish(firm, second)

    with happening_at("F05", meanwhile):
        firm.work(first)
    finish(firm, first)
    assert first.state == second.state == State.FILED
    assert [len(folders_called(firm, name)) for name in PATH] == [1, 1]


def test_while_one_makes_it_the_other_waits(firm: Office) -> None:
    first, second = firm.approved(b"one", new_folders=PATH), firm.approved(b"two", new_folders=PATH)

    def meanwhile() -> None:
        assert firm.work(second).problem == Problem.FOLDER_UNDER_WAY
        assert second.hold == Hold.RETRY

    with happening_at("F05", meanwhile):
        firm.work(first)
    finish(firm, second)
    assert [len(folders_called(firm, name)) for name in PATH] == [1, 1]
    assert len(firm.visible()) == 2


def test_another_connection_of_the_account_uses_the_same_folder(firm: Office, cast: Cast) -> None:
    bobs = factories.connection(connected_by=cast.dana, owner=cast.bob, clio_user_id=BOB)
    factories.tokens_for(bobs, firm.clio)
    firm.work(firm.approved(b"one", new_folders=PATH))
    draft = firm.draft(b"two", new_folders=PATH)
    firm.work(factories.approved(draft, by=cast.bob, link=bobs))
    assert [len(folders_called(firm, name)) for name in PATH] == [1, 1]
    assert NewFolder.objects.count() == 2


def test_a_folder_that_was_trashed_meanwhile_is_made_again(firm: Office) -> None:
    firm.work(firm.approved(b"one", new_folders=PATH))
    (outer,) = folders_called(firm, "2026")
    at_clio(firm, "DELETE", f"folders/{outer}")
    delivery = firm.work(firm.approved(b"two", new_folders=PATH))
    assert is_filed_in_one_folder(firm, delivery), delivery.problem


def test_a_trashed_folder_that_the_reviewer_chose_is_a_persons_matter(firm: Office) -> None:
    chosen = a_folder(firm, "Chosen")
    at_clio(firm, "DELETE", f"folders/{chosen}")
    delivery = firm.work(firm.approved(folder_id=chosen, new_folders=("2026",)))
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.PLACE_NOT_FOUND)
    assert firm.clio.documents() == []


def test_a_place_where_nothing_may_be_made_is_a_persons_matter(firm: Office) -> None:
    firm.clio.fault(MAKE, "status", status=403)
    delivery = firm.work(firm.approved(new_folders=PATH))
    assert (delivery.hold, delivery.problem) == (Hold.PERSON, Problem.FORBIDDEN)
    deliveries.retry_now(delivery, actor=Actor.user(firm.cast.alice))
    firm.clio.clear_faults()
    assert is_filed_in_one_folder(firm, finish(firm, delivery))


def test_taking_it_back_after_a_folder_was_made_leaves_the_folder(firm: Office) -> None:
    firm.clio.fault(RESERVE, "status", status=403)
    delivery = firm.work(firm.approved(new_folders=PATH))
    assert delivery.first_call_at is not None
    deliveries.cancel(delivery, actor=Actor.user(firm.cast.alice))
    assert delivery.state == State.WITHDRAWN
    assert [len(folders_called(firm, name)) for name in PATH] == [1, 1]
    assert firm.clio.documents() == []


@pytest.mark.django_db(transaction=True)
def test_workers_that_come_at_once_make_one_folder(clio_sandbox: SandboxProcess, tmp_path: Path) -> None:
    outcome = (
        folder_crowd.everybody(clio_sandbox)
        if database.vendor == "postgresql"
        else in_a_process(clio_sandbox, tmp_path)
    )
    assert outcome["failures"] == []
    assert outcome["filed"] == folder_crowd.DOCUMENTS
    made = [call for call in clio_sandbox.calls(route=MAKE) if call["status"] == 201]
    assert len(made) == len(folder_crowd.PATH)
    assert len({document["folder_id"] for document in clio_sandbox.documents()}) == 1


def in_a_process(clio: SandboxProcess, tmp_path: Path) -> dict[str, Any]:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/crowd.sqlite3",
        "DATA_DIR": str(tmp_path),
        "CLIO_SANDBOX_URL": clio.api_url,
        "CLIO_SANDBOX_STORAGE_URL": clio.storage_url,
        "CLIO_SANDBOX_CONTROL_URL": clio.control_url,
    }
    told = subprocess.run(
        [sys.executable, "-m", "tests.clio_sync.folder_crowd"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return dict(json.loads(told.stdout.splitlines()[-1]))
