"""Mail to submitters. It holds a link, never client text; one that fails never blocks the work, for the page
says the same."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from smtplib import SMTPException

from django.core.mail import send_mail

from reviews import actions
from reviews.models import Draft, Status

logger = logging.getLogger(__name__)

NEWS: Mapping[str, str] = {
    Status.APPROVED: "was filed in Clio",
    Status.RETURNED: "was returned for changes",
    Status.REJECTED: "was rejected",
}


def tell_submitter(draft: Draft) -> None:
    """One mail: what became of the draft, and where to look."""
    news = NEWS[draft.status]
    try:
        send_mail(
            subject=f"A draft you submitted {news}",
            message=f"A draft you submitted {news}.\n\nSee it here: {actions.address_of(draft)}\n",
            from_email=None,
            recipient_list=[draft.submitter.email],
        )
    except (SMTPException, OSError) as error:
        logger.warning("The mail about draft %s failed: %s", draft.pk, type(error).__name__)
