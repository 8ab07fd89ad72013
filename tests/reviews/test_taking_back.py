from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clio_sync.models import Delivery
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.models import Entry
from reviews import outcomes
from reviews.models import Draft, Status
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
State, Hold = Delivery.State, Delivery.Hold
BUTTON = 'id="take-back"'


def page(draft: Draft, act: str = "") -> str:
    return f"/drafts/{draft.pk}/{act}"


@pytest.fixture
def filing(cast: Cast, waiting: Draft) -> Draft:
    """A draft whose document Clio holds unfinished, with no worker at it."""
    factories.approved(waiting, by=cast.alice)
    return stands(waiting, state=State.RESERVED, clio_document_id=77)


def stands(draft: Draft, **fields: Any) -> Draft:
    Delivery.objects.filter(approval__draft_ref=draft.pk).update(**fields)
    draft.refresh_from_db()
    return draft


def test_what_clio_does_not_know_is_in_review_again_at_once(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    factories.approved(waiting, by=cast.alice)
    client = sign_in(cast.bob)
    assert BUTTON in client.get(page(waiting)).content.decode()
    shown = client.post(page(waiting, "take-back/"), follow=True).content.decode()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.delivery) == (Status.IN_REVIEW, None)
    assert "Called back" in shown
    assert Delivery.objects.get().state == State.WITHDRAWN
    assert Entry.objects.filter(event=Event.DRAFT_APPROVAL_UNDONE).count() == 1


def test_what_clio_holds_unfinished_is_in_review_again_once_it_is_removed(
    cast: Cast, filing: Draft, sign_in: SignIn
) -> None:
    client = sign_in(cast.alice)
    shown = client.post(page(filing, "take-back/"), follow=True).content.decode()
    assert "what Clio holds unfinished is removed first" in shown
    assert BUTTON not in shown
    outcomes.hear()
    filing.refresh_from_db()
    assert filing.status == Status.APPROVED

    stands(filing, state=State.WITHDRAWN, done_at=timezone.now())
    outcomes.hear()
    filing.refresh_from_db()
    assert (filing.status, filing.delivery) == (Status.IN_REVIEW, None)


def test_the_page_says_when_it_was_too_late(cast: Cast, filing: Draft, sign_in: SignIn) -> None:
    client = sign_in(cast.alice)
    client.post(page(filing, "take-back/"))
    stands(filing, state=State.FILED, done_at=timezone.now())
    shown = client.get(page(filing)).content.decode()
    assert "Too late to take back." in shown
    assert "Filed in" in shown

    answer = client.post(page(filing, "take-back/"))
    assert answer.status_code == 409
    assert "already filed in Clio, as document 77" in answer.content.decode()


@pytest.mark.parametrize("hold", [Hold.NONE, Hold.RETRY, Hold.LIMIT, Hold.CONNECTION])
def test_the_button_is_there_while_it_is_under_way_whatever_it_waits_for(
    cast: Cast, filing: Draft, sign_in: SignIn, hold: str
) -> None:
    stands(filing, hold=hold)
    assert BUTTON in sign_in(cast.bob).get(page(filing)).content.decode()
    assert BUTTON not in sign_in(cast.carol).get(page(filing)).content.decode()


def test_one_button_at_a_time(cast: Cast, filing: Draft, sign_in: SignIn) -> None:
    stands(filing, hold=Hold.PERSON, problem="refused")
    shown = sign_in(cast.alice).get(page(filing)).content.decode()
    assert 'id="stop-filing"' in shown
    assert BUTTON not in shown


def test_only_a_reviewer_may(cast: Cast, filing: Draft, sign_in: SignIn) -> None:
    assert sign_in(cast.carol).post(page(filing, "take-back/")).status_code == 403
    assert not Delivery.objects.get().withdrawing


def test_there_is_nothing_to_take_back_before_the_approval(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    assert sign_in(cast.alice).post(page(waiting, "take-back/")).status_code == 409
