"""The one door from a request to a draft: what this person may not see does not exist."""

from __future__ import annotations

import uuid

from django.http import Http404

from portal.accounts.models import User
from reviews.models import Draft, Version

_NEEDED = (
    "submitter",
    "reviewer",
    "latest_version__made_by",
    "connection",
    "delivery",
    "delivery__connection__owner",
)


def get_draft_for(user: User, draft_id: uuid.UUID) -> Draft:
    """The draft, or Http404 alike for one that is another's and one that never was."""
    draft = Draft.objects.visible_to(user).select_related(*_NEEDED).filter(pk=draft_id).first()
    if draft is None:
        raise Http404
    return draft


def get_version_for(user: User, draft_id: uuid.UUID, number: int) -> Version:
    """A version of a draft that this person may see, or Http404."""
    drafts = Draft.objects.visible_to(user)
    found = Version.objects.select_related("draft", "made_by").filter(
        draft__in=drafts, draft_id=draft_id, number=number
    )
    version = found.first()
    if version is None:
        raise Http404
    return version
