from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from django.core.cache import cache

from clio_sync import matters
from clio_sync.destinations import Destination
from clio_sync.errors import BadDestination, ClioUnavailable
from clio_sync.models import Connection
from tests import factories
from tests.cast import Cast
from tests.clio_sync.renewing import due_connection
from tests.sandbox_process import ALICE, BOB, SandboxProcess

NUMBER = "2026-0042"


@pytest.fixture
def link(cast: Cast, clio_sandbox: SandboxProcess) -> Connection:
    """The firm's default connection, as Alice."""
    cache.clear()
    given = clio_sandbox.tokens(ALICE)
    found = due_connection(
        cast.dana,
        access=given["access_token"],
        refresh=given["refresh_token"],
        expires_in=20 * 86400,
        clio_user_id=ALICE,
    )
    Connection.objects.filter(pk=found.pk).update(is_default=True)
    found.refresh_from_db()
    return found


@pytest.fixture
def matter_id(clio_sandbox: SandboxProcess) -> int:
    return clio_sandbox.matter_id(NUMBER)


def check(link: Connection | None, matter_id: int, **asked: Any) -> Destination:
    return matters.check_destination(
        connection_id=link.pk if link else None, matter_id=matter_id, file_name="Offer.docx", **asked
    )


def refused(link: Connection | None, matter_id: int, **asked: Any) -> tuple[str, str]:
    with pytest.raises(BadDestination) as bad:
        check(link, matter_id, **asked)
    return bad.value.code, bad.value.sentence


def test_typing_finds_matters_and_shows_closed_ones_last(
    link: Connection, clio_sandbox: SandboxProcess
) -> None:
    found = matters.search(link, "2025", limit=60)
    assert found[0].number
    assert found[0].description
    assert found[0].client_name
    selectable = [one.is_selectable for one in found]
    assert True in selectable
    assert False in selectable
    assert selectable == sorted(selectable, reverse=True)


def test_typing_the_same_again_asks_clio_once(link: Connection, clio_sandbox: SandboxProcess) -> None:
    for text in ("okanagan", "Okanagan ", "okanagan"):
        assert matters.search(link, text, limit=5)
    assert len(clio_sandbox.calls(route="matters.list")) == 1
    matters.search(link, "okafor", limit=5)
    assert len(clio_sandbox.calls(route="matters.list")) == 2


def test_what_one_connection_read_is_not_shown_to_another(
    link: Connection, cast: Cast, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    clio_sandbox.act("hide_matter", matter_id=matter_id, user_id=BOB)
    given = clio_sandbox.tokens(BOB)
    bobs = due_connection(
        cast.dana,
        access=given["access_token"],
        refresh=given["refresh_token"],
        expires_in=20 * 86400,
        clio_user_id=BOB,
    )
    assert [one.number for one in matters.search(link, NUMBER)] == [NUMBER]
    assert matters.search(bobs, NUMBER) == []
    assert refused(bobs, matter_id)[0] == "unknown_matter"


def test_the_folders_are_those_of_the_matter_with_the_folders_around_them(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    above = next(one for one in matters.folders(link, matter_id) if one.name == "Correspondence")
    made = httpx.post(
        f"{clio_sandbox.api_url}/api/v4/folders.json",
        params={"fields": "id"},
        json={"data": {"name": "2026", "parent": {"id": above.id, "type": "Folder"}}},
        headers={"Authorization": f"Bearer {clio_sandbox.tokens(ALICE)['access_token']}"},
    )
    folder_id = made.json()["data"]["id"]
    assert folder_id not in [one.id for one in matters.folders(link, matter_id)]  # remembered for a minute
    assert check(link, matter_id, folder_id=folder_id).folder_name == "Correspondence / 2026"
    cache.clear()
    names = [one.name for one in matters.folders(link, matter_id)]
    assert names == ["Agreements", "Closing documents", "Correspondence", "Correspondence / 2026"]


def test_a_destination_has_clios_names_for_everything(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    folder = matters.folders(link, matter_id)[0]
    category = next(one for one in matters.categories(link) if one.name == "Agreements")
    place = check(None, matter_id, folder_id=folder.id, category_id=category.id)
    assert place.connection_id == str(link.pk)
    assert (place.matter_id, place.matter_number) == (matter_id, NUMBER)
    assert place.matter_description
    assert place.client_name
    assert (place.folder_id, place.folder_name) == (folder.id, "Agreements")
    assert (place.category_id, place.category_name) == (category.id, "Agreements")
    assert "“Offer.docx” as Agreements in 2026-0042" in place.sentence()


def test_a_matter_can_be_named_by_its_whole_number(link: Connection, matter_id: int) -> None:
    place = matters.check_destination(connection_id=None, matter_number=" 2026-0042 ", file_name="a.txt")
    assert place.matter_id == matter_id
    for number, code in (("2026-004", "unknown_matter"), ("", "no_matter")):
        with pytest.raises(BadDestination) as bad:
            matters.check_destination(connection_id=None, matter_number=number, file_name="a.txt")
        assert bad.value.code == code


def test_a_closed_matter_is_refused_at_once_whatever_was_remembered(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    assert matters.search(link, NUMBER)[0].is_selectable
    clio_sandbox.act("close_matter", matter_id=matter_id)
    code, sentence = refused(link, matter_id)
    assert code == "closed_matter"
    assert "2026-0042 is closed" in sentence


def test_what_clio_does_not_have_is_refused_in_words(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    elsewhere = matters.folders(link, matter_id + 1)[0]
    assert refused(link, 1)[0] == "unknown_matter"
    assert refused(link, matter_id, folder_id=elsewhere.id)[0] == "unknown_folder"
    assert refused(link, matter_id, category_id=1)[0] == "unknown_category"
    assert refused(link, matter_id, document_id=1)[0] == "unknown_document"


def test_a_new_version_needs_a_document_of_that_matter(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    held = [one for one in clio_sandbox.documents(include_seeded=True) if one["matter_id"] == matter_id]
    place = check(link, matter_id, document_id=held[0]["id"])
    assert place.document_id == held[0]["id"]
    assert (
        refused(link, clio_sandbox.matter_id("2025-0189"), document_id=held[0]["id"])[0] == "unknown_document"
    )


@pytest.mark.parametrize("named", [uuid.uuid4(), "not an id", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_connection_is_refused(link: Connection, named: uuid.UUID | str) -> None:
    with pytest.raises(BadDestination) as bad:
        matters.check_destination(connection_id=named, matter_id=1, file_name="a.txt")
    assert bad.value.code == "unknown_connection"


def test_nobody_files_through_anothers_own_connection(link: Connection, cast: Cast, matter_id: int) -> None:
    own = factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_id=BOB)
    assert refused(own, matter_id)[0] == "unknown_connection"


@pytest.mark.parametrize("status", ["needs_reconnecting", "disconnected"])
def test_a_connection_that_does_not_work_takes_no_drafts(
    status: str, link: Connection, matter_id: int
) -> None:
    Connection.objects.update(status=status, is_default=False)
    code, sentence = refused(link, matter_id)
    assert code == "not_connected"
    assert "Ask an admin" in sentence


def test_without_a_default_connection_nothing_is_guessed(cast: Cast) -> None:
    factories.connection(connected_by=cast.dana)
    assert refused(None, 1)[0] == "not_connected"


@pytest.mark.parametrize(
    ("kind", "plan"),
    [("status", {"status": 503}), ("lose_before", {}), ("wrong_json", {})],
)
def test_clio_in_trouble_is_something_to_try_again(
    kind: str, plan: dict[str, Any], link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    clio_sandbox.fault("matters.show", kind, **plan)
    with pytest.raises(ClioUnavailable) as bad:
        check(link, matter_id)
    assert bad.value.code == "clio_unavailable"
    assert check(link, matter_id).matter_id == matter_id


def test_clios_limit_is_something_to_wait_for(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int
) -> None:
    clio_sandbox.fault("matters.show", "status", status=429, headers={"Retry-After": "30"})
    with pytest.raises(ClioUnavailable) as bad:
        check(link, matter_id)
    assert bad.value.retry_after
    with pytest.raises(ClioUnavailable):
        check(link, matter_id)
    assert len(clio_sandbox.calls(route="matters.show")) == 1


def test_a_revoked_connection_says_who_can_mend_it(
    link: Connection, clio_sandbox: SandboxProcess, matter_id: int, settings: LazySettings
) -> None:
    clio_sandbox.act("revoke_grant")
    code, sentence = refused(link, matter_id)
    assert code == "not_connected"
    assert "An admin has to reconnect it" in sentence
    link.refresh_from_db()
    assert link.status == Connection.Status.NEEDS_RECONNECTING
