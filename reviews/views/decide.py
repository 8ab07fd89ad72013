"""The acts on a draft. Each is a form post that ends in the review screen, with what happened in words."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from portal.accounts.stepup import ask_again, is_recent
from portal.audit.events import Event
from portal.audit.log import Actor, record_denied
from portal.http import PortalRequest
from reviews import actions, lifecycle
from reviews.access import get_draft_for
from reviews.errors import BadSubmission, NotNewest, ReviewError
from reviews.forms import ApproveForm, ReasonForm
from reviews.models import Draft
from reviews.views.review import screen

Act = Callable[[], Any]

TAKEN_BACK = "The filing is taken back."
THEN_CHOOSE = "Choose where it goes instead, then approve it again."


@require_POST
def approve(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Countersign. Needs a recent sign-in; without one nothing is decided and the person acts again."""
    draft = get_draft_for(request.user, draft_id)
    if not is_recent(request):
        return ask_again(request, back_to=_address(draft))
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return _again(request, draft, form)
    agreed = set(form.cleaned_data["agreed"])
    return _act(
        request,
        draft,
        lambda: actions.approve(
            draft.pk, form.seen, agreed=agreed, by=request.user, actor=Actor.person(request)
        ),
        verdict="approve",
        done="Approved, and your approval is on record.",
    )


@require_POST
def return_for_changes(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    return _with_reason(request, draft_id, actions.return_for_changes, "return", "Returned to the submitter.")


@require_POST
def reject(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    return _with_reason(request, draft_id, actions.reject, "reject", "Rejected. The submitter is told why.")


@require_POST
def undo(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    return _simple(request, draft_id, actions.undo, "undo", "Approval undone. Nothing was sent to Clio.")


@require_POST
def take_back(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Stop a filing that is under way; the page shows whether that came in time."""
    return _simple(request, draft_id, actions.take_back, "take_back", "Called back, and that is on record.")


@require_POST
def claim(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    return _simple(request, draft_id, actions.claim, "claim", "You are reviewing this draft.")


@require_POST
def release(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    return _simple(request, draft_id, actions.release, "release", "Given back to the queue.")


@require_POST
def withdraw(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    return _simple(request, draft_id, actions.withdraw, "withdraw", "Withdrawn.")


@require_POST
def retry(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Try the filing again, after a person mended what it waited for."""
    return _simple(request, draft_id, actions.retry_filing, "retry", "Filing goes on.")


@require_POST
def cancel(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Stop a filing that needs a person; what was reserved in Clio is taken back first."""
    return _simple(request, draft_id, actions.cancel_filing, "cancel", TAKEN_BACK)


@require_POST
def choose(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Stop a filing whose destination Clio refuses, and go on to choosing another one. The destination is
    part of what was approved, so the draft is approved again after that."""
    answer = _simple(request, draft_id, actions.cancel_filing, "choose", f"{TAKEN_BACK} {THEN_CHOOSE}")
    is_open = Draft.objects.filter(pk=draft_id, status__in=lifecycle.OPEN).exists()
    return (
        redirect("reviews:destination", draft_id)
        if is_open and answer.status_code == HTTPStatus.FOUND
        else answer
    )


def _simple(
    request: PortalRequest, draft_id: uuid.UUID, act: Callable[..., Any], verdict: str, done: str
) -> HttpResponseBase:
    draft = get_draft_for(request.user, draft_id)
    return _act(
        request,
        draft,
        lambda: act(draft.pk, by=request.user, actor=Actor.person(request)),
        verdict=verdict,
        done=done,
    )


def _with_reason(
    request: PortalRequest, draft_id: uuid.UUID, act: Callable[..., Any], verdict: str, done: str
) -> HttpResponseBase:
    draft = get_draft_for(request.user, draft_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _again(request, draft, form)
    said = {"reason_code": form.cleaned_data["reason_code"], "reason": form.cleaned_data["reason"]}
    return _act(
        request,
        draft,
        lambda: act(draft.pk, form.seen, by=request.user, actor=Actor.person(request), **said),
        verdict=verdict,
        done=done,
    )


def _act(request: PortalRequest, draft: Draft, act: Act, *, verdict: str, done: str) -> HttpResponseBase:
    """Do it, or say why not and put the refusal on record."""
    try:
        act()
    except ReviewError as refused:
        _note_refusal(request, draft, refused, verdict)
        return _refused(request, draft, refused)
    messages.success(request, done)
    return redirect("reviews:draft", draft.pk)


def _note_refusal(request: PortalRequest, draft: Draft, refused: ReviewError, verdict: str) -> None:
    if isinstance(refused, BadSubmission):
        return
    record_denied(
        Event.DECISION_DENIED,
        actor=Actor.person(request),
        subject=actions.subject(draft),
        corr=draft.pk,
        verdict=verdict,
        newest=draft.latest_version_id,
        reason_code=refused.code,
    )


def _refused(request: PortalRequest, draft: Draft, refused: ReviewError) -> HttpResponse:
    """The fresh screen with the reason on top; for an overtaken version, with the way to the difference."""
    draft = get_draft_for(request.user, draft.pk)
    latest = draft.latest_version
    assert latest is not None, "submit() always sets the latest version"  # noqa: S101
    context = screen(request, draft, latest, problem=refused.sentence)
    if isinstance(refused, NotNewest):
        context["seen_number"] = _seen_number(request, draft)
    return render(request, "reviews/draft.html", context, status=refused.status)


def _seen_number(request: PortalRequest, draft: Draft) -> int | None:
    """Which older version the refused form was about, to offer the comparison."""
    seen = draft.versions.filter(sha256=request.POST.get("sha256", "")).order_by("number").last()
    return seen.number if seen and seen.pk != draft.latest_version_id else None


def _again(request: PortalRequest, draft: Draft, form: Form) -> HttpResponse:
    latest = draft.latest_version
    assert latest is not None, "submit() always sets the latest version"  # noqa: S101
    return render(request, "reviews/draft.html", screen(request, draft, latest, form=form), status=422)


def _address(draft: Draft) -> str:
    return f"/drafts/{draft.pk}/"
