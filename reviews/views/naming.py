"""The firm's rule for file names: set by admins, tried out on examples before it counts."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.accounts import roles
from portal.accounts.stepup import recent_sign_in_required
from portal.audit.log import Actor
from portal.http import PortalRequest
from reviews import naming as rules
from reviews.errors import BadSubmission
from reviews.forms import NamingForm
from reviews.naming import Facts
from reviews.views import choosing

DAY: Final = date(2026, 11, 21)
EXAMPLES: Final = (
    Facts(
        day=DAY,
        matter="2026-0042",
        client="Okafor Holdings",
        title="Settlement offer",
        version=1,
        original="offer_final.docx",
    ),
    Facts(
        day=DAY,
        matter="2026-0107",
        client="Smith & Söhne GmbH / Basel",
        title="Re: lease, “Haus am See”?",
        version=3,
        original="Scan 0007.pdf",
    ),
    Facts(
        day=DAY,
        matter="2025-0311",
        client="",
        title="Declaration of the trustees on the amended and restated articles of association, with all "
        "annexes, translations and the correspondence that led to each amendment since the first draft",
        version=2,
        original="declaration.md",
    ),
)


@require_http_methods(["GET", "POST"])
@roles.require(roles.may_administer)
def naming(request: PortalRequest) -> HttpResponseBase:
    """The rule in force, and what a rule would make of some files. With `look` nothing is kept."""
    if request.method == "POST" and "look" not in request.POST:
        return _change(request)
    now = rules.in_force()
    pattern = request.POST.get("pattern", now.pattern if now else "")
    form = NamingForm({"pattern": pattern})
    return _page(request, form)


@recent_sign_in_required
def _change(request: PortalRequest, /) -> HttpResponseBase:
    form = NamingForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        rules.change(form.cleaned_data["pattern"], by=request.user, actor=Actor.person(request))
    except BadSubmission as refused:
        return _page(request, choosing.with_error(form, refused), status=422)
    messages.success(request, "Changed. It counts for drafts that are submitted from now on.")
    return redirect("reviews:naming")


def _page(request: PortalRequest, form: NamingForm, *, status: int = 200) -> HttpResponse:
    now = rules.in_force()
    context = {"form": form, "now": now, "fields": rules.FIELDS.items(), "examples": _tried(form)}
    return render(request, "reviews/naming.html", context, status=status)


def _tried(form: NamingForm) -> list[tuple[Facts, str]]:
    """The examples with the names they would get, if the rule can make any."""
    if not form.is_valid():
        return []
    try:
        pattern = rules.check(form.cleaned_data["pattern"])
    except BadSubmission as refused:
        choosing.with_error(form, refused)
        return []
    return [(one, rules.compose(pattern, one) if pattern else one.original) for one in EXAMPLES]
