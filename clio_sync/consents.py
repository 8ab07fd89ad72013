"""A pending consent, and the `state` that proves an answer from Clio belongs to it.

Only a digest of the state is stored. It is good once, for ten minutes, for the person and the session that
asked, and it fixes region and connection, so that nothing in the address of the way back can choose them.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.utils import timezone

from clio_sync import regions
from clio_sync.api import oauth
from clio_sync.models import Connection, OAuthState
from portal.accounts.models import User

LIFETIME: Final = timedelta(minutes=10)
KEPT: Final = timedelta(days=1)


class Reason(StrEnum):
    """Why a way back is refused. The word goes into the log, the sentence onto the page."""

    UNKNOWN = "state_unknown"
    USED = "state_used"
    EXPIRED = "state_expired"
    OTHER_PERSON = "state_other_person"
    OTHER_SESSION = "state_other_session"


SENTENCES: Final = {
    Reason.UNKNOWN: "This answer does not belong to any request of this portal.",
    Reason.USED: "This answer was already used. It is good once.",
    Reason.EXPIRED: "More than ten minutes went by, so the request is no longer good.",
    Reason.OTHER_PERSON: "Somebody else asked for this, or you signed in as another person meanwhile.",
    Reason.OTHER_SESSION: "The request came from another browser, or you signed out and in again meanwhile.",
}


class StateRefused(Exception):
    """The `state` that came back is not one this person may use now."""

    def __init__(self, reason: Reason, region: str = "") -> None:
        self.reason = reason
        self.region = region
        self.sentence = SENTENCES[reason]
        super().__init__(self.sentence)


def ask(
    user: User, *, session_key: str, region: str, reconnect: Connection | None, is_personal: bool
) -> tuple[OAuthState, str]:
    """A pending consent, and the address at Clio to send this person to. Raises RegionNotReady."""
    app = regions.app_for(region)
    value = secrets.token_urlsafe(32)
    OAuthState.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    state = OAuthState.objects.create(
        digest=digest(value),
        user=user,
        session_digest=digest(session_key),
        region=region,
        reconnect=reconnect,
        is_personal=is_personal,
    )
    return state, oauth.authorize_url(app, redirect_uri=regions.redirect_uri(), state=value)


def take(value: str, *, user: User, session_key: str) -> OAuthState:
    """Use up the pending consent behind `value`; of two who come at once, one gets it."""
    now = timezone.now()
    pending = OAuthState.objects.filter(
        digest=digest(value),
        user=user,
        session_digest=digest(session_key),
        created_at__gt=now - LIFETIME,
        used_at=None,
    )
    if not pending.update(used_at=now):
        raise _refusal(value, user=user, session_key=session_key)
    return OAuthState.objects.select_related("reconnect").get(digest=digest(value))


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _refusal(value: str, *, user: User, session_key: str) -> StateRefused:
    state = OAuthState.objects.filter(digest=digest(value)).first()
    if state is None:
        return StateRefused(Reason.UNKNOWN)
    if state.user_id != user.pk:
        return StateRefused(Reason.OTHER_PERSON, state.region)
    if state.session_digest != digest(session_key):
        return StateRefused(Reason.OTHER_SESSION, state.region)
    return StateRefused(Reason.USED if state.used_at else Reason.EXPIRED, state.region)
