"""What `manage.py check --database default` says about the gate."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import connections

from portal import gate
from portal.audit.models import Head


@register(Tags.database)
def check_gate(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """A warning and no error: `migrate` runs this too, and may have to come before reconciling."""
    if not databases or "default" not in databases:
        return []
    if Head._meta.db_table not in connections["default"].introspection.table_names():
        return []  # before the first migration
    closed = gate.closed()
    hint = "Compare with Clio, then filing goes on: manage.py reconcile"
    return [Warning(f"Nothing is filed. {closed.sentence}", hint=hint, id="clio_sync.W001")] if closed else []
