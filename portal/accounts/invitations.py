"""A link with which a person chooses a password: for a first one, or when it is lost.

Whoever holds the link can become that person, so making one is on record, it works once and not for long
(PASSWORD_RESET_TIMEOUT), and it is shown to the admin only where no mail can carry it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invitation:
    """`link` is empty when it went by mail: then nobody but the person sees it."""

    email: str
    link: str = ""

    @property
    def was_mailed(self) -> bool:
        return not self.link


def invite(user: User, *, actor: Actor) -> Invitation:
    """Mail the link; if mail is not set up or fails, hand it to the caller to show once."""
    with transaction.atomic():
        link = password_link(user)
        record(
            Event.PERSON_INVITED,
            actor=actor,
            subject=Subject("person", user.pk),
            channel="mail" if settings.EMAIL_HOST else "shown",
        )
    if not settings.EMAIL_HOST:
        return Invitation(user.email, link)
    try:
        _mail(user, link)
    except (SMTPException, OSError) as error:
        log.warning("The mail server refused an invitation: %s", type(error).__name__)
        return _shown_after_all(user, link, actor=actor)
    return Invitation(user.email)


def password_link(user: User) -> str:
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return f"{settings.SITE_URL}{path}"


def _mail(user: User, link: str) -> None:
    context = {"user": user, "link": link, "site": settings.SITE_URL}
    send_mail(
        render_to_string("account/email/invitation_subject.txt").strip(),
        render_to_string("account/email/invitation_message.txt", context),
        None,
        [user.email],
    )


def _shown_after_all(user: User, link: str, *, actor: Actor) -> Invitation:
    with transaction.atomic():
        record(Event.PERSON_INVITED, actor=actor, subject=Subject("person", user.pk), channel="shown")
    return Invitation(user.email, link)
