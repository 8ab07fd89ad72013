"""A document of the same name, and a new version of one: said plainly to submitter and reviewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clio_sync import filing, matters
from clio_sync.errors import BadDestination
from clio_sync.models import Connection, Delivery, RateState
from portal.accounts.models import ApiKey, User
from reviews.models import Draft
from tests import factories
from tests.cast import Cast
from tests.reviews.test_views import page
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
NAME = "Settlement offer.txt"


@pytest.fixture
def matter(clio: SandboxProcess, link: Connection) -> int:
    RateState.objects.create(connection=link, limit=100_000)
    return clio.matter_id()


def draft_for(cast: Cast, link: Connection, matter: int, content: bytes = b"one", **place: Any) -> Draft:
    target = factories.destination(link, matter_id=matter, **place)
    return factories.draft(submitter=cast.carol, place=target, content=content)


def filed(cast: Cast, link: Connection, matter: int, content: bytes = b"one", **place: Any) -> Delivery:
    delivery = factories.approved(draft_for(cast, link, matter, content, **place), by=cast.alice)
    filing.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.FILED
    cache.clear()
    return delivery


@pytest.mark.parametrize("subfolders", [True, False])
def test_documents_of_a_matter_are_found_by_name_and_folder_also_below(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, subfolders: bool
) -> None:
    clio.switch(matter_id_includes_subfolders=subfolders, search_lag_seconds=3600)
    folder = next(one for one in matters.folders(link, matter) if one.name == "Correspondence")
    delivery = filed(cast, link, matter, folder_id=folder.id)
    (found,) = matters.documents(link, matter, "OFFER corr")
    assert (found.id, found.folder, found.version) == (delivery.clio_document_id, "Correspondence", 1)
    before = clio.last_call_id()
    assert not matters.documents(link, matter, "no such thing")
    assert clio.last_call_id() == before, "remembered for a minute"


def test_a_draft_becomes_the_next_version_from_the_form_to_clio(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, sign_in: SignIn
) -> None:
    document = filed(cast, link, matter).clio_document_id
    client = sign_in(cast.carol)
    asked: dict[str, Any] = {"matter_id": matter, "connection": str(link.pk), "document_text": "settle"}
    options = client.get("/drafts/new/documents/", asked).content.decode()
    assert f'value="{document}"' in options
    assert "version 1" in options
    fields = {"matter_id": matter, "connection": link.pk, "document_id": document, "folder_path": "not meant"}
    file = SimpleUploadedFile("Second.txt", b"two")
    assert client.post("/drafts/new/", {**fields, "file": file}).status_code == 302
    draft = Draft.objects.latest("submitted_at")
    shown = sign_in(cast.alice).get(page(draft)).content.decode()
    assert f"Add “Second.txt” as version 2 to “{NAME}”" in shown
    delivery = factories.approved(draft, by=cast.alice)
    filing.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.clio_document_id, delivery.clio_version_number) == (document, 2)


def test_a_locked_or_trashed_document_takes_no_version(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int
) -> None:
    document = filed(cast, link, matter).clio_document_id
    for act, code in (("lock_document", "locked_document"), ("trash_document", "unknown_document")):
        clio.act(act, document_id=document)
        with pytest.raises(BadDestination) as bad:
            matters.check_destination(
                connection_id=link.pk, matter_id=matter, file_name="a.txt", document_id=document
            )
        assert bad.value.code == code


def test_a_document_and_a_folder_are_two_places(link: Connection, matter: int) -> None:
    with pytest.raises(BadDestination) as bad:
        matters.check_destination(
            connection_id=link.pk, matter_id=matter, file_name="a.txt", document_id=7, path=["2026"]
        )
    assert bad.value.code == "two_places"


def test_the_reviewer_hears_how_the_document_stands_now(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, sign_in: SignIn
) -> None:
    document = filed(cast, link, matter).clio_document_id
    draft = draft_for(cast, link, matter, b"two", document_id=document, document_name=NAME)
    client = sign_in(cast.alice)
    assert f"“{NAME}” now: version 1" in client.get(page(draft, "namesakes")).content.decode()
    clio.act("lock_document", document_id=document)
    cache.clear()
    assert "locked in Clio" in client.get(page(draft, "namesakes")).content.decode()
    clio.act("trash_document", document_id=document)
    cache.clear()
    assert "not there" in client.get(page(draft, "namesakes")).content.decode()


def test_one_of_the_same_name_is_told_to_the_reviewer_with_the_way_to_a_version(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, sign_in: SignIn
) -> None:
    document = filed(cast, link, matter).clio_document_id
    draft = draft_for(cast, link, matter, b"two", file_name="SETTLEMENT offer.txt")
    client = sign_in(cast.alice)
    shown = client.get(page(draft, "namesakes")).content.decode()
    assert "There is one of this name already." in shown
    assert f"/destination/?document={document}" in shown
    form = client.get(f"{page(draft, 'destination')}?document={document}").content.decode()
    assert f'name="document_id" value="{document}" checked' in form


def test_the_submitter_is_told_before_submitting_and_may_choose(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, sign_in: SignIn
) -> None:
    document = filed(cast, link, matter).clio_document_id
    client = sign_in(cast.carol)
    asked: dict[str, Any] = {"original_name": NAME, "matter_id": matter, "connection": str(link.pk)}
    shown = client.get("/drafts/new/name/", asked).content.decode()
    assert f'name="version_of" value="{document}"' in shown
    assert "Keep both" in shown
    chosen = client.get("/drafts/new/name/", {**asked, "version_of": document}).content.decode()
    assert f'name="version_of" value="{document}" checked' in chosen
    assert "As version 2 of" in chosen
    file = SimpleUploadedFile(NAME, b"two")
    client.post("/drafts/new/", {**asked, "version_of": document, "file": file})
    assert Draft.objects.latest("submitted_at").destination["document_id"] == document
    assert (
        "name already"
        not in client.get("/drafts/new/name/", {**asked, "folder_path": "Correspondence"}).content.decode()
    )


def test_a_draft_on_its_way_counts_as_far_as_one_may_see_it(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, sign_in: SignIn
) -> None:
    draft, other = draft_for(cast, link, matter), draft_for(cast, link, matter, b"two")
    shown = sign_in(cast.alice).get(page(draft, "namesakes")).content.decode()
    assert f"/drafts/{other.pk}/" in shown
    Draft.objects.filter(pk=other.pk).update(submitter=cast.bob)
    assert f"/drafts/{other.pk}/" not in sign_in(cast.carol).get(page(draft, "namesakes")).content.decode()


def test_while_clio_is_away_nothing_is_claimed_and_the_page_answers(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, sign_in: SignIn
) -> None:
    draft = draft_for(cast, link, matter)
    client = sign_in(cast.alice)
    clio.fault("GET /api/v4/*", "lose_before", count=None)
    answer = client.get(page(draft, "namesakes"))
    assert answer.status_code == 200
    assert "name already" not in answer.content.decode()


def test_a_program_names_the_file_the_folder_and_the_document(
    cast: Cast, clio: SandboxProcess, link: Connection, matter: int, client: Client
) -> None:
    _, token = ApiKey.issue(name="tool", owner=cast.carol, by=cast.dana)

    def send(key: str, **said: Any) -> Any:
        file = SimpleUploadedFile("draft.txt", b"words")
        return client.post(
            "/api/v1/drafts",
            {"file": file, "matter_id": matter, "made_by_ai": "false", **said},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )

    made = send("1", file_name="Offer letter.txt", folder_path="Correspondence / 2026")
    assert made.status_code == 201, made.content
    assert made.json()["place"] == {
        "file_name": "Offer letter.txt",
        "folder_id": made.json()["place"]["folder_id"],
        "folder_name": "Correspondence",
        "new_folders": ["2026"],
        "category_id": None,
        "category_name": "",
        "document_id": None,
    }
    refused = send("2", file_name="Offer letter.pdf")
    assert (refused.status_code, refused.json()["field"]) == (422, "file_name")
    refused = send("3", folder_path="Correspondence / ../Secrets")
    assert (refused.status_code, refused.json()["field"]) == (422, "folder_path")
    document = filed(cast, link, matter).clio_document_id
    again = send("4", document_id=document)
    assert again.json()["place"]["document_id"] == document
    assert send("5", document_id=document, folder_path="x").json()["code"] == "two_places"
