"""Looking after connections: people hear of one that broke, and those of people who left are ended.

Nothing calls back: every little while this looks at the rows.
"""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from clio_sync.connections import disconnect
from clio_sync.models import Connection
from portal.accounts.models import Role, User
from portal.audit.log import Actor

logger = logging.getLogger(__name__)

Status = Connection.Status
SUBJECT = "A connection to Clio needs reconnecting"


def tend() -> None:
    """Tell of new breaks, and end the connections of people who were switched off."""
    for connection in Connection.objects.filter(status=Status.NEEDS_RECONNECTING, break_told_at=None):
        if _mark_told(connection):
            _tell(connection)
    left = Connection.objects.filter(owner__is_active=False).exclude(status=Status.DISCONNECTED)
    for connection in left:
        disconnect(connection, by=Actor.system("connections"), reason="The lawyer was switched off.")


def _mark_told(connection: Connection) -> bool:
    """Only one of two workers gets a yes. A crash right after it costs one mail: the banner says the same."""
    same = Connection.objects.filter(pk=connection.pk, break_told_at=None, status=Status.NEEDS_RECONNECTING)
    return bool(same.update(break_told_at=timezone.now()))


def _tell(connection: Connection) -> None:
    """The admins, and the lawyer whose own connection it is: only they can mend that one."""
    admins = User.objects.filter(is_active=True, grants__role=Role.ADMIN).exclude(pk=connection.owner_id or 0)
    for admin in admins.distinct():
        _mail(admin, page=reverse("clio_sync:connections"))
    if connection.owner is not None and connection.owner.is_active:
        _mail(connection.owner, page=reverse("clio_sync:mine"))


def _mail(person: User, *, page: str) -> None:
    try:
        send_mail(
            subject=SUBJECT,
            message=(
                "Clio no longer accepts a connection of this portal. What was approved waits, and goes on by "
                f"itself once the connection is reconnected.\n\nLook at it here: {settings.SITE_URL}{page}\n"
            ),
            from_email=None,
            recipient_list=[person.email],
        )
    except (SMTPException, OSError) as error:
        logger.warning("The mail about a broken connection failed: %s", type(error).__name__)
