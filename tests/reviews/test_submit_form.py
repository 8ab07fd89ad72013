"""The form for a new draft, and what is still there when it comes back refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clio_sync import matters
from clio_sync.models import Connection
from portal.accounts.models import User
from reviews.models import Draft
from tests.cast import Cast
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
FORM = "/drafts/new/"


def not_a_pdf() -> SimpleUploadedFile:
    return SimpleUploadedFile("Letter.pdf", b"only words")


def test_a_refused_form_comes_back_with_matter_folder_and_category_chosen(
    cast: Cast, clio: SandboxProcess, link: Connection, sign_in: SignIn
) -> None:
    matter = clio.matter_id()
    folder, category = matters.folders(link, matter)[1], matters.categories(link)[2]
    chosen = {
        "matter_text": "2026-00",
        "matter_id": matter,
        "folder_id": folder.id,
        "category_id": category.id,
        "note": "Please by noon.",
    }
    answer = sign_in(cast.carol).post(FORM, {**chosen, "connection": link.pk, "file": not_a_pdf()})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert f'value="{matter}" checked' in shown
    assert f'value="{folder.id}" selected' in shown
    assert f'value="{category.id}" selected' in shown
    assert "Please by noon." in shown
    assert "the content is something else" in shown
    assert not Draft.objects.exists()


def test_what_was_chosen_is_kept_while_clio_cannot_be_reached(
    cast: Cast, clio: SandboxProcess, link: Connection, sign_in: SignIn
) -> None:
    matter = clio.matter_id()
    folder, category = matters.folders(link, matter)[0], matters.categories(link)[0]
    cache.clear()
    clio.fault("GET /api/v4/*", "lose_before", count=None)
    chosen = {"matter_text": "2026-0042", "matter_id": matter, "folder_id": folder.id}
    chosen |= {"category_id": category.id}
    file = SimpleUploadedFile("Letter.txt", b"Dear counsel,\n")
    answer = sign_in(cast.carol).post(FORM, {**chosen, "connection": link.pk, "file": file})
    shown = answer.content.decode()
    assert answer.status_code == 503
    assert f'name="matter_id" value="{matter}" checked' in shown
    assert f'name="folder_id" value="{folder.id}"' in shown
    assert f'name="category_id" value="{category.id}"' in shown
    assert "Choose the file again" in shown
    assert not Draft.objects.exists()


def test_an_empty_form_says_what_is_missing_and_asks_clio_nothing(
    cast: Cast, clio: SandboxProcess, link: Connection, sign_in: SignIn
) -> None:
    before = clio.last_call_id()
    answer = sign_in(cast.carol).post(FORM, {"connection": link.pk})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose a file." in shown
    assert "Choose the matter this belongs to." in shown
    assert "<title>Not submitted: Submit a draft" in shown
    assert clio.last_call_id() == before


def test_the_form_names_the_firms_own_limit(cast: Cast, link: Connection, sign_in: SignIn) -> None:
    assert "up to 100 MB" in sign_in(cast.carol).get(FORM).content.decode()
