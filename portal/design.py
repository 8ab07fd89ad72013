"""The page that shows every element of the design system, each in every state."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.accounts.models import User
from portal.accounts.roles import may_administer

STATES = {
    "waiting": "",
    "in_review": "by Alice Munro",
    "returned": "to Carol Shields",
    "rejected": "",
    "withdrawn": "",
    "approved": "undo until 14:10",
    "filing": "2/3",
    "filed": "14:12",
    "unconfirmed": "",
    "needs_you": "reconnect Clio",
}
TONES = ["", "info", "good", "warn", "bad"]


class Specimen(forms.Form):
    """One field of each sort."""

    matter = forms.CharField(help_text="Type a client, a matter number or a word of its description.")
    email = forms.EmailField(label="E-mail", required=False, disabled=True, initial="carol@firm.example")
    region = forms.ChoiceField(choices=[("us", "United States"), ("eu", "European Union")])
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), help_text="The submitter reads this.")
    verdict = forms.ChoiceField(
        choices=[("return", "Return for changes"), ("reject", "Reject")], widget=forms.RadioSelect
    )
    roles = forms.MultipleChoiceField(
        choices=[("reviewer", "Reviewer"), ("submitter", "Submitter")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    read = forms.BooleanField(label="I have read the whole document and it is right.")
    document = forms.FileField()


@login_not_required
def design(request: HttpRequest) -> HttpResponse:
    """Open to admins, and to everyone while developing."""
    if not (settings.DEBUG or (isinstance(request.user, User) and may_administer(request.user))):
        raise PermissionDenied
    return render(request, "design.html", specimens())


def specimens() -> dict[str, object]:
    told = {"email": "carol", "region": "us", "roles": ["reviewer"]}
    faulty = Specimen(told, auto_id="id_faulty_%s")
    faulty.is_valid()
    return {
        "states": STATES.items(),
        "tones": TONES,
        "form": Specimen(),
        "faulty": faulty,
        "soon": timezone.now() + timedelta(seconds=95),
        "tabs": [
            {"label": "Waiting", "href": "#", "current": True, "count": 12},
            {"label": "Mine", "href": "#", "current": False, "count": 3},
            {"label": "Returned", "href": "#", "current": False, "count": 0},
            {"label": "Filed", "href": "#", "current": False, "count": None},
        ],
        "sha256": "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7",
        "page": Paginator(range(1240), 25).page(2),
    }
