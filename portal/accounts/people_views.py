"""Pages for admins: who is here, with which roles."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from portal.accounts import invitations, people
from portal.accounts.forms import AddPersonForm, DetailsForm, RolesForm
from portal.accounts.models import ApiKey, Role, RoleGrant, User
from portal.accounts.roles import may_administer, require
from portal.accounts.stepup import recent_sign_in_required
from portal.audit.log import Actor
from portal.http import PortalRequest, words

PAGE_SIZE = 50
LONGEST_REASON = 500


@require_safe
@require(may_administer)
def index(request: PortalRequest) -> HttpResponse:
    off = request.GET.get("show") == "off"
    found = _matching(words(request.GET, "q")).filter(is_active=not off)
    grants = Prefetch("grants", RoleGrant.objects.order_by("role"))
    page = Paginator(found.prefetch_related(grants), PAGE_SIZE).get_page(request.GET.get("page"))
    tabs = [_tab(request, "Active", "", not off), _tab(request, "Switched off", "off", off)]
    return render(request, "accounts/people.html", {"page": page, "tabs": tabs, "off": off})


@require(may_administer)
@recent_sign_in_required
def add(request: PortalRequest) -> HttpResponse:
    form = AddPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = people.add_person(
                form.cleaned_data["email"],
                full_name=form.cleaned_data["full_name"],
                licence_number=form.cleaned_data["licence_number"],
                roles=form.chosen(),
                by=request.user,
                actor=Actor.person(request),
            )
        except people.EmailTaken as error:
            form.add_error("email", str(error))
        else:
            return _invited(request, user)
    return render(request, "accounts/add_person.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@require(may_administer)
def person(request: PortalRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    return _page(request, user, details=_details(user), roles=_roles(user))


@require_POST
@require(may_administer)
@recent_sign_in_required
def change_details(request: PortalRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _page(request, user, details=form, roles=_roles(user), status=422)
    try:
        people.change_details(user, **form.cleaned_data, by=request.user, actor=Actor.person(request))
    except people.PeopleError as error:
        messages.info(request, str(error))
    else:
        messages.success(request, "The details are saved.")
    return redirect("accounts:person", user_id)


@require_POST
@require(may_administer)
@recent_sign_in_required
def change_roles(request: PortalRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    form = RolesForm(request.POST)
    if not form.is_valid():
        return _page(request, user, details=_details(user), roles=form, status=422)
    try:
        people.change_roles(user, form.chosen(), by=request.user, actor=Actor.person(request))
    except people.Unchanged as error:
        messages.info(request, str(error))
    except people.PeopleError as error:
        form.add_error("roles", str(error))
        return _page(request, user, details=_details(user), roles=form, status=422)
    else:
        messages.success(request, f"The roles of {user} are changed.")
    return redirect("accounts:person", user_id)


@require_POST
@require(may_administer)
@recent_sign_in_required
def switch_off(request: PortalRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    reason = request.POST.get("reason", "")[:LONGEST_REASON]
    try:
        people.switch_off(user, reason=reason, by=request.user, actor=Actor.person(request))
    except people.PeopleError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{user} is signed out and cannot sign in. Their API keys are revoked.")
    return redirect("accounts:person", user_id)


@require_POST
@require(may_administer)
@recent_sign_in_required
def switch_on(request: PortalRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=user_id)
    try:
        people.switch_on(user, by=request.user, actor=Actor.person(request))
    except people.PeopleError as error:
        messages.info(request, str(error))
    else:
        messages.success(request, f"{user} can sign in again, with the roles below.")
    return redirect("accounts:person", user_id)


@require_POST
@require(may_administer)
@recent_sign_in_required
def invite(request: PortalRequest, user_id: int) -> HttpResponse:
    return _invited(request, get_object_or_404(User, pk=user_id, is_active=True))


def _invited(request: PortalRequest, user: User) -> HttpResponse:
    """The link is shown by the answer to this one POST and kept nowhere."""
    invitation = invitations.invite(user, actor=Actor.person(request))
    if invitation.was_mailed:
        messages.success(request, f"A link to choose a password went to {user.email}.")
        return redirect("accounts:person", user.pk)
    return render(request, "accounts/invitation.html", {"person": user, "invitation": invitation})


def _page(
    request: PortalRequest, user: User, *, details: DetailsForm, roles: RolesForm, status: int = 200
) -> HttpResponse:
    keys = ApiKey.objects.filter(owner=user).order_by("revoked_at", "-created_at")
    context = {"person": user, "details": details, "roles_form": roles, "keys": keys}
    return render(request, "accounts/person.html", context, status=status)


def _details(user: User) -> DetailsForm:
    return DetailsForm(initial={"full_name": user.full_name, "licence_number": user.licence_number})


def _roles(user: User) -> RolesForm:
    return RolesForm(initial={"roles": [role.value for role in Role if role in user.roles]})


def _matching(words: str) -> QuerySet[User]:
    found = User.objects.order_by("full_name", "pk")
    return found.filter(Q(full_name__icontains=words) | Q(email__icontains=words)) if words else found


def _tab(request: PortalRequest, label: str, show: str, current: bool) -> dict[str, object]:
    query = {name: value for name, value in {"show": show, "q": request.GET.get("q", "")}.items() if value}
    href = reverse("accounts:people") + (f"?{urlencode(query)}" if query else "")
    return {"label": label, "href": href, "current": current, "count": None}
