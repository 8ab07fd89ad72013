"""The review screen: the document, where it will go, and what became of it."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from clio_sync import receipts
from clio_sync.destinations import Destination
from clio_sync.elsewhere import filed_before
from clio_sync.estimates import estimates
from clio_sync.models import Connection, Delivery
from clio_sync.progress import Progress, can_take_back, can_undo, progress
from portal.accounts import roles
from portal.accounts.models import User
from portal.audit.digest import digest
from portal.audit.log import Actor
from portal.http import PortalRequest, whole_number
from reviews import actions, lifecycle
from reviews.access import get_draft_for
from reviews.attestation import STATEMENTS
from reviews.formats import MediaType
from reviews.forms import ApproveForm, ReasonForm, VersionForm
from reviews.models import Decision, Draft, Status, Version
from reviews.status import next_actor, shown

STOP_POLLING = 286
REFUSED = frozenset({Status.RETURNED, Status.REJECTED})  # the newest decision is why it stands there


@require_GET
def draft(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponse:
    """The review screen. `?version=2` shows an older version, which cannot be decided on."""
    found = get_draft_for(request.user, draft_id)
    version = _asked_version(found, request.GET.get("version", ""))
    if roles.may_review(request.user):
        actions.note_opening(version, by=request.user, actor=Actor.person(request))
    return render(request, "reviews/draft.html", screen(request, found, version))


@require_GET
def filing(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponse:
    """The live part of the screen. Answers 204 while it shows all there is, so that nothing on the page jumps
    or loses the focus, and 286, which ends htmx's polling, when nothing more will move. While a large file is
    on its way, only the bar that tells how far it is changes."""
    found = get_draft_for(request.user, draft_id)
    if found.delivery is None:  # taken back: it is in review again
        return HttpResponse(status=STOP_POLLING, headers={"HX-Refresh": "true"})
    context = {"draft": found, "status": shown(found, to=request.user), **_delivery(request.user, found)}
    if found.delivery.state in Delivery.FINAL:
        return render(request, "reviews/_filing.html", context, status=STOP_POLLING)
    if request.GET.get("seen") == context["filing_mark"]:
        return _further(request, context["progress"])
    return render(request, "reviews/_filing.html", context)


def _further(request: PortalRequest, told: Progress) -> HttpResponse:
    if told.sent is None:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    answer = render(request, "elements/sent.html", {"sent": told.sent})
    answer["HX-Retarget"], answer["HX-Reswap"] = "#sent", "innerHTML"
    return answer


def screen(
    request: PortalRequest, found: Draft, version: Version, *, form: Form | None = None, problem: str = ""
) -> dict[str, Any]:
    """Everything the review screen shows. `form` is a refused one, to be shown again with its errors."""
    latest = found.latest_version
    is_newest = version == latest
    decisions = list(
        Decision.objects.filter(version__draft=found)
        .select_related("reviewer", "version")
        .order_by("-created_at")
    )
    seen = {"version_id": version.pk, "sha256": version.sha256, "revision": found.revision}
    return {
        "draft": found,
        "version": version,
        "is_newest": is_newest,
        "latest": latest,
        "problem": problem,
        "status": shown(found, to=request.user),
        "next_actor": next_actor(found),
        "destination": Destination.from_json(found.destination),
        "media_type": MediaType(version.media_type),
        "pages": range(1, (version.page_count or 0) + 1) if version.media_type == MediaType.PDF else (),
        "versions": found.versions.select_related("made_by").order_by("-number"),
        "decisions": decisions,
        "decided": decisions[0] if decisions and found.status in REFUSED else None,
        "is_ended": found.status in {Status.REJECTED, Status.WITHDRAWN},
        "statements": STATEMENTS,
        "approve_form": form if isinstance(form, ApproveForm) else ApproveForm(initial=seen),
        "reason_form": form if isinstance(form, ReasonForm) else ReasonForm(initial=seen),
        "version_form": form if isinstance(form, VersionForm) else VersionForm(initial=seen),
        "opened": _opened(form),
        "filed_before": filed_before(latest.pk) if latest and not found.delivery_id else "",
        "identity": actions.identity_for(request.user, found),
        **_may(request.user, found, is_newest=is_newest),
        **_delivery(request.user, found),
    }


def _opened(form: Form | None) -> str:
    """Which dialog a refused form stood in, to open it again."""
    match form:
        case ApproveForm():
            return "approve"
        case ReasonForm():
            return str(form.data.get("dialog", "return"))
        case VersionForm():
            return "new-version"
        case _:
            return ""


def _asked_version(found: Draft, number: str) -> Version:
    wanted = whole_number(number)
    if wanted is not None:
        older = found.versions.filter(number=wanted).select_related("made_by").first()
        if older is not None:
            return older
    assert found.latest_version is not None, "submit() always sets the latest version"  # noqa: S101
    return found.latest_version


def _may(user: User, found: Draft, *, is_newest: bool) -> dict[str, bool]:
    latest = found.latest_version
    decidable = found.status in lifecycle.DECIDABLE and latest is not None
    rightful = decidable and roles.may_decide(
        user, submitter_id=found.submitter_id, last_editor_id=latest.made_by_id if latest else 0
    )
    claimed_by_other = found.reviewer_id not in {None, user.pk}
    return {
        "may_decide": bool(rightful and is_newest and not claimed_by_other),
        "may_claim": bool(rightful and (claimed_by_other or found.status == Status.WAITING)),
        "may_release": found.status == Status.IN_REVIEW and found.reviewer_id == user.pk,
        "is_own_work": bool(decidable and roles.may_review(user) and not rightful),
        "may_add_version": found.status in lifecycle.OPEN
        and roles.may_add_version(user, submitter_id=found.submitter_id),
        "may_change_destination": found.status in lifecycle.OPEN
        and roles.may_change_destination(user, submitter_id=found.submitter_id),
        "may_withdraw": found.status in lifecycle.OPEN
        and roles.may_withdraw(user, submitter_id=found.submitter_id),
    }


def _delivery(user: User, found: Draft) -> dict[str, Any]:
    delivery = found.delivery
    if found.status != Status.APPROVED or delivery is None:
        return {"delivery": None}
    mine = delivery.approval.approved_by_id == user.pk
    now, told = timezone.now(), progress(delivery)
    due = estimates([delivery]).get(delivery.pk)
    may_undo = mine and can_undo(delivery, now=now)
    may_mend = roles.may_review(user) and delivery.hold == Delivery.Hold.PERSON
    may_take_back = roles.may_review(user) and can_take_back(delivery) and not (may_undo or may_mend)
    return {
        "delivery": delivery,
        "progress": told,
        "is_moving": delivery.state not in Delivery.FINAL,
        "due": due if due and due.seconds is not None else None,
        "filing_mark": digest(
            [repr(told), told.sent is None, delivery.hold, may_undo, due.words if due else ""]
        )[:16],
        "may_undo": may_undo,
        "may_mend": may_mend,
        "may_take_back": may_take_back,
        "reconnect_href": reconnect_address(user, delivery.connection),
        "filing_sentence": _filing_sentence(delivery),
        "receipt": receipts.receipt(delivery) if delivery.state == Delivery.State.FILED else None,
    }


def reconnect_address(user: User, connection: Connection) -> str:
    """Where this person can reconnect it, or nothing: a lawyer's own is theirs alone to mend."""
    if connection.owner_id == user.pk:
        return reverse("clio_sync:mine")
    if connection.owner_id is None and roles.may_administer(user):
        return f"{reverse('clio_sync:connections')}#connection-{connection.pk}"
    return ""


def _filing_sentence(delivery: Delivery) -> str:
    """One line on where it stands, from the approval that the worker executes."""
    destination = Destination.from_json(delivery.approval.destination)
    if delivery.state == Delivery.State.FILED:
        return f"Filed in {destination.place} as Clio document {delivery.clio_document_id}."
    return f"{destination.sentence()}."
