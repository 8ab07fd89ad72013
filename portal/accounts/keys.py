"""API keys: issued to a submitter, shown once, revoked for good."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import ApiKey, User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record


@transaction.atomic
def issue(name: str, *, owner: User, by: User, actor: Actor) -> tuple[ApiKey, str]:
    """The key and its token. Show the token at once: it cannot be read back."""
    key, token = ApiKey.issue(name=name, owner=owner, by=by)
    record(
        Event.API_KEY_CREATED,
        actor=actor,
        subject=Subject("api_key", key.pk),
        texts={"label": name},
        owner=owner.pk,
    )
    return key, token


@transaction.atomic
def revoke(key: ApiKey, *, actor: Actor) -> bool:
    """From the next request on the key opens nothing. False if it was revoked before."""
    revoked = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    if revoked:
        record(Event.API_KEY_REVOKED, actor=actor, subject=Subject("api_key", key.pk), owner=key.owner_id)
    return bool(revoked)


def revoke_all_of(user: User, *, actor: Actor) -> int:
    """Revoke the person's live keys; how many there were."""
    return sum(revoke(key, actor=actor) for key in user.api_keys.filter(revoked_at=None))
