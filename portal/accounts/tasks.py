"""Housekeeping of sign-ins."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command


@shared_task
def clear_expired_sessions() -> None:
    """Forget sign-ins that ended; Django itself only stops honouring them."""
    call_command("clearsessions")
