"""What the sign-in library tells us goes on record: in, out, refused, confirmed, password changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account import signals as allauth
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Outcome

LONGEST_EMAIL = 254


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    with transaction.atomic():
        record(
            Event.PERSON_SIGNED_IN,
            actor=Actor.person(request),
            subject=Subject("person", user.pk),
            method="password",
        )


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is None:  # "sign out" from a page whose session had ended
        return
    with transaction.atomic():
        record(Event.PERSON_SIGNED_OUT, actor=Actor.person(request), subject=Subject("person", user.pk))


@receiver(user_login_failed)
def sign_in_failed(credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Tries beyond the rate limit do not come here: a flood must not fill the log."""
    email = str(credentials.get("email", ""))[:LONGEST_EMAIL]
    known = User.objects.filter(email=email.lower()).first() if email else None
    with transaction.atomic():
        record(
            Event.PERSON_SIGN_IN_FAILED,
            actor=Actor.person(request) if request is not None else Actor.nobody(),
            subject=Subject("person", known.pk) if known else None,
            outcome=Outcome.DENIED,
            texts={"email": email},
            reason="credentials",
        )


@receiver(allauth.authentication_step_completed)
def confirmed_identity(request: HttpRequest, user: User, method: str, **facts: Any) -> None:
    if not facts.get("reauthenticated"):
        return
    with transaction.atomic():
        record(
            Event.PERSON_CONFIRMED_IDENTITY,
            actor=Actor.person(request),
            subject=Subject("person", user.pk),
            method=method,
        )


@receiver([allauth.password_changed, allauth.password_set])
def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    _password(request, user, method="own")


@receiver(allauth.password_reset)
def password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    _password(request, user, method="link")


def _password(request: HttpRequest, user: User, *, method: str) -> None:
    with transaction.atomic():
        record(
            Event.PERSON_PASSWORD_CHANGED,
            actor=Actor.person(request),
            subject=Subject("person", user.pk),
            method=method,
        )
