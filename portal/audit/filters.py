"""Which entries a page or an export shows. The address holds the whole choice, so it can be sent on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils import timezone

from portal.audit.entry import canonical
from portal.audit.events import Event
from portal.audit.models import EntryQuerySet, Outcome

UUID_LENGTH = 36
CALENDAR = [
    MinValueValidator(date(2000, 1, 1), "The log begins later than that."),
    MaxValueValidator(date(2999, 12, 31), "That day is too far away."),
]

AREAS = {
    "person": "People",
    "role": "Roles",
    "access": "Access",
    "api_key": "API keys",
    "connection": "Connections",
    "token_keys": "Keys that seal tokens",
    "draft": "Drafts",
    "decision": "Decisions",
    "download": "Downloads",
    "delivery": "Deliveries",
    "folder": "Folders",
    "naming": "File names",
    "ratelimit": "Clio's limit",
    "gate": "The gate before filing",
    "reconcile": "Reconciling",
    "audit": "The log itself",
}


@dataclass(frozen=True)
class Filter:
    """Empty values choose everything."""

    event: str = ""  # one event, or an area with a dot at its end
    person: str = ""
    about: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None

    def apply(self, entries: EntryQuerySet) -> EntryQuerySet:
        if self.event:
            of_area = self.event.endswith(".")
            entries = entries.filter(**{"event__startswith" if of_area else "event": self.event})
        if self.person:
            entries = entries.about_person(self.person)
        if self.about:
            entries = entries.filter(_about(self.about))
        if self.outcome:
            entries = entries.filter(outcome=self.outcome)
        if self.since:
            entries = entries.filter(at__gte=_midnight(self.since))
        if self.until:
            entries = entries.filter(at__lt=_midnight(self.until + timedelta(days=1)))
        return entries

    @property
    def chosen(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items() if value}

    @property
    def query(self) -> str:
        return urlencode(self.chosen)

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical(self.chosen)).hexdigest()


DAY = forms.DateInput(attrs={"type": "date"})


class FilterForm(forms.Form):
    event = forms.ChoiceField(label="What", required=False)
    person = forms.ChoiceField(label="Who", required=False)
    about = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$",
        label="Id",
        required=False,
        strip=True,
        error_messages={
            "invalid": "An id has letters, digits and . _ : - only. Copy it from a draft or an entry."
        },
    )
    outcome = forms.ChoiceField(required=False, choices=[("", "Any"), *Outcome.choices])
    since = forms.DateField(label="From", required=False, validators=CALENDAR, widget=DAY)
    until = forms.DateField(label="To", required=False, validators=CALENDAR, widget=DAY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["event"].choices = _events()  # type: ignore[attr-defined]
        self.fields["person"].choices = [("", "Everyone"), *_people()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            raise forms.ValidationError("The first day is after the last one. Exchange them.")
        return found

    @property
    def filter(self) -> Filter:
        """Of a form that is valid."""
        return Filter(**{name: self.cleaned_data[name] for name in self.fields if self.cleaned_data[name]})


def _events() -> list[tuple[str, Any]]:
    grouped: dict[str, list[tuple[str, str]]] = {}
    for event in Event:
        area, _, happened = event.value.partition(".")
        grouped.setdefault(area, [(f"{area}.", f"{AREAS[area]}: all")])
        grouped[area].append((event.value, happened.replace("_", " ").capitalize()))
    return [("", "Everything"), *((AREAS[area], events) for area, events in grouped.items())]


def _people() -> Iterable[tuple[str, str]]:
    people = get_user_model()._default_manager.order_by("full_name", "pk")
    return [(str(person.pk), str(person)) for person in people]


def _about(identity: str) -> Q:
    """A whole id is looked up; the short form that sentences show is searched for, which takes longer."""
    if len(identity) >= UUID_LENGTH or identity.isdecimal():
        return Q(object_id=identity) | Q(corr=identity)
    return Q(object_id__startswith=identity) | Q(corr__startswith=identity)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
