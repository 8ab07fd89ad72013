"""The pages of the log, for those who may read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import DatabaseError, transaction
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from portal.accounts.roles import may_read_audit, require
from portal.accounts.stepup import recent_sign_in_required
from portal.audit.entry import commitment
from portal.audit.events import Event
from portal.audit.export import Format, export
from portal.audit.filters import FilterForm
from portal.audit.log import Actor, record
from portal.audit.models import Entry, EntryQuerySet, Head, TextSecret
from portal.audit.sentences import names_for, sentence, who
from portal.audit.verify import Verdict, verify
from portal.http import PortalRequest

PAGE = 50


class Place(forms.Form):
    """Where in the log a page begins."""

    before = forms.IntegerField(required=False, min_value=0)
    after = forms.IntegerField(required=False, min_value=0)


class ExportForm(forms.Form):
    format = forms.ChoiceField(choices=Format.choices, initial=Format.CSV, widget=forms.RadioSelect)
    reason = forms.CharField(
        min_length=5,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It is kept with the record of this export.",
    )


@dataclass(frozen=True)
class Line:
    entry: Entry
    sentence: str
    who: str


@dataclass(frozen=True)
class Text:
    name: str
    value: str | None
    matches: bool


@require_GET
@require(may_read_audit)
def log(request: PortalRequest) -> HttpResponse:
    return _log_page(request, FilterForm(request.GET), ExportForm())


@require_GET
@require(may_read_audit)
def entry(request: PortalRequest, seq: int) -> HttpResponse:
    found = get_object_or_404(Entry, pk=seq)
    names = names_for([found])
    context = {
        "entry": found,
        "sentence": sentence(found, names),
        "who": who(found, names),
        "said": json.dumps(found.content, indent=2, sort_keys=True, ensure_ascii=False),
        "exact": found.exact_bytes.decode(errors="replace"),
        "hash": found.hash.hex(),
        "leaf": bytes(found.leaf).hex(),
        "texts": _texts(found),
        "next": Entry.objects.filter(pk=seq + 1).first(),
        "previous": Entry.objects.filter(pk=seq - 1).first(),
    }
    return render(request, "audit/entry.html", context)


@require_POST
@require(may_read_audit)
def check(request: PortalRequest) -> HttpResponse:
    """Verify the whole log now, record the result and show it."""
    verdict = verify()
    recorded = _record_check(request, verdict)
    return render(request, "audit/checked.html", {"verdict": verdict, "recorded": recorded})


@require_POST
@require(may_read_audit)
@recent_sign_in_required
def download(request: PortalRequest) -> HttpResponseBase:
    chosen, wanted = FilterForm(request.POST), ExportForm(request.POST)
    if not (chosen.is_valid() and wanted.is_valid()):
        return _log_page(request, chosen, wanted, status=422)
    made = export(
        chosen.filter,
        format=Format(wanted.cleaned_data["format"]),
        reason=wanted.cleaned_data["reason"],
        actor=Actor.person(request),
    )
    return StreamingHttpResponse(
        made.chunks(),
        content_type=made.media_type,
        headers={"Content-Disposition": f'attachment; filename="{made.file_name}"'},
    )


def _log_page(
    request: PortalRequest, filters: FilterForm, wanted: ExportForm, *, status: int = 200
) -> HttpResponse:
    place = Place(request.GET)
    shown, older, newer = _page(filters, place)
    names = names_for(shown)
    head = Head.objects.first()
    context = {
        "filters": filters,
        "chosen": filters.filter.chosen if filters.is_valid() else {},
        "lines": [Line(entry, sentence(entry, names), who(entry, names)) for entry in shown],
        "older": older,
        "newer": newer,
        "size": head.size if head else 0,
        "last_check": Entry.objects.filter(event=Event.AUDIT_VERIFIED.value).newest_first().first(),
        "export": wanted,
    }
    return render(request, "audit/log.html", context, status=status)


def _page(filters: FilterForm, place: Place) -> tuple[list[Entry], int | None, int | None]:
    """One page, newest first, with where the older and the newer one begin, if there are any.

    It goes by the entries' numbers and not by counting rows, so page 20,000 is as fast as the first.
    """
    if not (filters.is_valid() and place.is_valid()):
        return [], None, None
    entries = filters.filter.apply(Entry.objects.all())
    before, after = place.cleaned_data["before"], place.cleaned_data["after"]
    if after is not None:
        shown = list(entries.filter(seq__gt=after).order_by("seq")[:PAGE])[::-1]
    elif before is not None:
        shown = list(entries.filter(seq__lt=before).newest_first()[:PAGE])
    else:
        shown = list(entries.newest_first()[:PAGE])
    if not shown:
        return [], None, None
    return shown, _further(entries, older_than=shown[-1].seq), _further(entries, newer_than=shown[0].seq)


def _further(
    entries: EntryQuerySet, *, older_than: int | None = None, newer_than: int | None = None
) -> int | None:
    if older_than is not None:
        return older_than if entries.filter(seq__lt=older_than).exists() else None
    return newer_than if entries.filter(seq__gt=newer_than).exists() else None


def _texts(entry: Entry) -> list[Text]:
    """The words beside an entry: those it was sealed with, whether still kept or forgotten."""
    sealed: Any = entry.content.get("texts")
    kept = {text.field: text for text in TextSecret.objects.filter(seq=entry.seq)}
    return [
        Text(name, kept[name].value, commitment(bytes(kept[name].salt), kept[name].value) == seal)
        if name in kept
        else Text(name, None, matches=True)
        for name, seal in (sealed.items() if isinstance(sealed, dict) else ())
    ]


def _record_check(request: PortalRequest, verdict: Verdict) -> bool:
    """A log that is broken at its end may refuse the entry; its reader must still see the verdict."""
    first_bad = verdict.first_bad if verdict.first_bad is not None and verdict.first_bad >= 0 else None
    try:
        with transaction.atomic():
            record(
                Event.AUDIT_VERIFIED,
                actor=Actor.person(request),
                subject=None,
                verdict=verdict.state.value,
                entries=verdict.entries,
                head=verdict.head,
                first_bad=first_bad,
                finding=verdict.finding.value if verdict.finding else None,
            )
    except (DatabaseError, Head.DoesNotExist):
        return False
    return True
