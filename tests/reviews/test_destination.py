"""Where a draft goes: named as a path, changed while it waits, and seen by whoever approves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from clio_sync import matters
from clio_sync.destinations import Destination
from clio_sync.models import Connection
from portal.accounts.models import User
from portal.audit.digest import digest
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry
from reviews import actions, places
from reviews.errors import BadSubmission, NotAllowed, NotNewest, WrongState
from reviews.models import Draft
from tests import factories
from tests.cast import Cast
from tests.reviews.conftest import seen
from tests.reviews.test_views import form, page
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
HOSTILE = {
    "empty name": "Correspondence//Smith",
    "nothing but a slash": "/",
    "up": "Correspondence / ..",
    "here": ".",
    "backslash": "Letters\\2026",
    "control": "Letters\x07",
    "line": "Letters\n2026",
    "null": "Let\x00ters",
    "right to left": "Letters\u202ecod",
    "invisible": "Let\u200bters",
    "odd space": "Let\u2003ters",
    "too long": "x" * 300,
    "too deep": " / ".join("abcdefghijk"),
    "quotation mark": 'The "good" ones',
    "ends with a full stop": "Smith.",
}


def asked(matter: int, link: Connection, draft: Draft, **fields: Any) -> dict[str, Any]:
    draft.refresh_from_db()
    name = draft.destination["file_name"]
    known = {"matter_id": matter, "connection": link.pk, "file_name": name, "revision": draft.revision}
    return {**known, **fields}


def test_a_path_leads_through_folders_that_are_there_to_those_that_are_not(
    clio: SandboxProcess, link: Connection
) -> None:
    where = places.Where(matter_id=clio.matter_id(), folder_path="correspondence / 2026/Smith & Söhne")
    place = places.destination(where, file_name="a.txt")
    (known,) = [one for one in matters.folders(link, clio.matter_id()) if one.name == "Correspondence"]
    assert (place.folder_id, place.folder_name) == (known.id, "Correspondence")
    assert place.new_folders == ("2026", "Smith & Söhne")
    assert "in a new folder “2026 / Smith & Söhne” in 2026-0042" in place.sentence()
    assert place.place.endswith(" / Correspondence / 2026 / Smith & Söhne")


def test_a_path_that_is_there_needs_no_new_folder(clio: SandboxProcess, link: Connection) -> None:
    where = places.Where(matter_id=clio.matter_id(), folder_path="Correspondence")
    place = places.destination(where, file_name="a.txt")
    assert (place.folder_name, place.new_folders) == ("Correspondence", ())


@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_of_a_folder_is_refused_with_a_sentence(link: Connection, path: str) -> None:
    with pytest.raises(BadSubmission) as refused:
        places.destination(places.Where(matter_id=1, folder_path=path), file_name="a.txt")
    assert refused.value.field == "folder_path"
    assert refused.value.sentence.endswith(".")


def test_an_older_destination_still_reads(link: Connection) -> None:
    now = factories.destination(link).to_json()
    del now["new_folders"], now["document_name"], now["document_version"]
    assert Destination.from_json(now) == factories.destination(link)


def test_a_reviewer_changes_the_destination_and_the_log_knows(
    cast: Cast, clio: SandboxProcess, link: Connection, waiting: Draft, sign_in: SignIn
) -> None:
    matter = clio.matter_id()
    waiting.destination |= {"matter_id": matter}
    waiting.save()
    client = sign_in(cast.alice)
    shown = client.get(page(waiting, "destination")).content.decode()
    assert 'name="folder_path"' in shown
    before = waiting.destination
    fields = asked(matter, link, waiting, folder_path="Correspondence / 2026")
    answer = client.post(page(waiting, "destination"), fields, follow=True)
    assert "in a new folder “2026”" in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.destination["new_folders"] == ["2026"]
    assert waiting.revision == 2
    entry = Entry.objects.get(event=Event.DRAFT_DESTINATION_CHANGED)
    assert entry.content["detail"]["previous"] == digest(before)
    assert entry.content["detail"]["destination"] == digest(waiting.destination)
    assert "2026" not in str(entry.content["detail"])


def test_an_approval_page_of_before_is_refused(
    cast: Cast, clio: SandboxProcess, link: Connection, waiting: Draft, sign_in: SignIn
) -> None:
    opened = form(waiting)
    change(waiting, cast.carol, link, folder_name="Elsewhere")
    answer = sign_in(cast.alice).post(page(waiting, "approve"), opened)
    assert answer.status_code == 409
    assert "This draft changed since you opened the page" in answer.content.decode()
    assert "Elsewhere" in answer.content.decode()


def test_a_change_from_an_older_page_is_refused_and_asks_clio_nothing(
    cast: Cast, clio: SandboxProcess, link: Connection, waiting: Draft, sign_in: SignIn
) -> None:
    fields = asked(clio.matter_id(), link, waiting)
    change(waiting, cast.alice, link, folder_name="Elsewhere")
    client = sign_in(cast.carol)
    answer = client.post(page(waiting, "destination"), fields)
    assert answer.status_code == 409
    waiting.refresh_from_db()
    assert waiting.destination["folder_name"] == "Elsewhere"


def test_a_name_has_to_end_as_the_file_does(
    cast: Cast, clio: SandboxProcess, link: Connection, waiting: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.carol)
    for name in ("Offer.pdf", "Offer", "Of/fer.txt", "Offer.txt "):
        fields = asked(clio.matter_id(), link, waiting, file_name=name)
        answer = client.post(page(waiting, "destination"), fields)
        assert answer.status_code == (302 if name == "Offer.txt " else 422), name
    waiting.refresh_from_db()
    assert waiting.destination["file_name"] == "Offer.txt"


def test_who_may_change_it_and_until_when(cast: Cast, link: Connection, waiting: Draft) -> None:
    with pytest.raises(NotAllowed):
        change(waiting, cast.dana, link, folder_name="Elsewhere")
    with pytest.raises(NotNewest):
        change(waiting, cast.carol, link, revision=7)
    actions.return_for_changes(
        waiting.pk, seen(waiting), reason_code="facts", reason="No.", by=cast.alice, actor=by(cast.alice)
    )
    change(waiting, cast.carol, link, folder_name="Elsewhere")
    waiting.refresh_from_db()
    assert waiting.status == "returned"
    actions.withdraw(waiting.pk, by=cast.carol, actor=by(cast.carol))
    with pytest.raises(WrongState):
        change(waiting, cast.carol, link, folder_name="Here")


def test_saying_the_same_again_changes_nothing(cast: Cast, link: Connection, waiting: Draft) -> None:
    change(waiting, cast.carol, link)
    waiting.refresh_from_db()
    assert waiting.revision == 1
    assert not Entry.objects.filter(event=Event.DRAFT_DESTINATION_CHANGED).exists()


def by(user: User) -> Actor:
    return Actor.user(user)


def change(
    draft: Draft, user: User, link: Connection, *, revision: int | None = None, **fields: Any
) -> Draft:
    place = factories.destination(link, **fields)
    return actions.change_destination(draft.pk, place, by=user, actor=by(user), revision=revision)
