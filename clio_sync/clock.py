"""The one clock for leases and budgets: the database's, because the workers' may disagree."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """The time now by the database's clock, also inside a transaction that began earlier.

    SQLite has none of its own: its clock is this machine's.
    """
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
