from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from clio_sync.models import Connection, Delivery
from clio_sync.problems import Problem
from portal.accounts.models import Role, RoleGrant, User
from portal.audit.events import Event
from portal.audit.models import Entry
from reviews.models import Draft, Status
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
Hold = Delivery.Hold


def stuck(draft: Draft, *, by: User, problem: Problem, **fields: object) -> Delivery:
    """Approved, and set down by a worker for a person."""
    delivery = factories.approved(draft, by=by)
    Delivery.objects.filter(pk=delivery.pk).update(**{"hold": Hold.PERSON, "problem": problem, **fields})
    delivery.refresh_from_db()
    return delivery


def page(draft: Draft, act: str = "") -> str:
    return f"/drafts/{draft.pk}/{act}{'/' if act else ''}"


@pytest.mark.parametrize(
    ("problem", "primary"),
    [
        (Problem.PLACE_REFUSED, "Choose another folder…"),
        (Problem.PLACE_NOT_FOUND, "Choose another folder…"),
        (Problem.RESERVATION_GONE, "Stop filing"),
        (Problem.CLIO_TROUBLE, "Try again"),
    ],
)
def test_a_stuck_draft_shows_one_main_button(
    cast: Cast, waiting: Draft, sign_in: SignIn, problem: Problem, primary: str
) -> None:
    delivery = stuck(waiting, by=cast.alice, problem=problem)
    shown = sign_in(cast.alice).get(page(waiting)).content.decode()
    box = shown[shown.index('id="filing"') : shown.index("<h2>The file</h2>")]
    main = [part.partition("</button>")[0].rpartition(">")[2] for part in box.split("button-primary")[1:]]
    assert main == [primary]
    assert "The document is not in Clio." in box
    assert delivery.hold == Hold.PERSON


def test_choosing_another_folder_takes_the_approval_back_and_asks_for_it_again(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    delivery = stuck(waiting, by=cast.alice, problem=Problem.PLACE_REFUSED)
    client = sign_in(cast.alice)
    answer = client.post(page(waiting, "choose"), follow=True)
    assert answer.redirect_chain[-1] == (page(waiting, "destination"), 302)
    assert "then approve it again" in answer.content.decode()
    waiting.refresh_from_db()
    delivery.refresh_from_db()
    assert (waiting.status, waiting.delivery) == (Status.IN_REVIEW, None)
    assert delivery.state == Delivery.State.WITHDRAWN
    told = list(Entry.objects.order_by("seq").values_list("event", flat=True))
    assert told[-2:] == [Event.DELIVERY_WITHDRAWN, Event.DRAFT_APPROVAL_UNDONE]
    assert factories.approved(waiting, by=cast.alice).state == Delivery.State.QUEUED


def test_what_clio_may_hold_is_taken_back_before_another_folder_is_chosen(
    cast: Cast, waiting: Draft, sign_in: SignIn
) -> None:
    held = {"state": Delivery.State.RESERVED, "clio_document_id": 5}
    delivery = stuck(waiting, by=cast.alice, problem=Problem.REFUSED, **held)
    sign_in(cast.alice).post(page(waiting, "choose"))
    waiting.refresh_from_db()
    delivery.refresh_from_db()
    assert (waiting.status, delivery.withdrawing) == (Status.APPROVED, True)


def test_a_filing_that_moves_is_not_taken_back(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    factories.approved(waiting, by=cast.alice)
    assert sign_in(cast.alice).post(page(waiting, "choose")).status_code == 409
    waiting.refresh_from_db()
    assert waiting.status == Status.APPROVED


def test_a_submitter_chooses_nothing(cast: Cast, waiting: Draft, sign_in: SignIn) -> None:
    stuck(waiting, by=cast.alice, problem=Problem.PLACE_REFUSED)
    client = sign_in(cast.carol)
    assert "Choose another folder…" not in client.get(page(waiting)).content.decode()
    assert client.post(page(waiting, "choose")).status_code == 403


def test_a_lawyer_is_told_whom_to_ask_for_a_reconnection(
    cast: Cast, waiting: Draft, link: Connection, sign_in: SignIn
) -> None:
    stuck(waiting, by=cast.alice, problem=Problem.CLIO_TROUBLE, hold=Hold.CONNECTION)
    shown = sign_in(cast.alice).get(page(waiting)).content.decode()
    assert f'Ask <a href="mailto:{cast.dana.email}">Dana</a> to reconnect it.' in shown
    assert "Reconnect Clio" not in shown
    RoleGrant.objects.create(user=cast.bob, role=Role.ADMIN)
    shown = sign_in(cast.bob).get(page(waiting)).content.decode()
    assert f"{reverse('clio_sync:connections')}#connection-{link.pk}" in shown


def test_a_lawyers_own_connection_is_theirs_to_reconnect(
    cast: Cast, waiting: Draft, link: Connection, sign_in: SignIn
) -> None:
    Connection.objects.filter(pk=link.pk).update(owner=cast.alice, is_default=False)
    stuck(waiting, by=cast.alice, problem=Problem.CONNECTION, hold=Hold.CONNECTION)
    assert reverse("clio_sync:mine") in sign_in(cast.alice).get(page(waiting)).content.decode()
    shown = sign_in(cast.bob).get(page(waiting)).content.decode()
    assert f'Ask <a href="mailto:{cast.alice.email}">Alice</a> to reconnect it.' in shown
