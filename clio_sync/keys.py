"""The keys of the vault as the operator sees them: do they open what is stored, and moving to a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections as databases_by_name

from clio_sync import vault
from clio_sync.models import Connection, Delivery, DeliveryPart
from clio_sync.parking import needs_reconnecting
from clio_sync.tokens import UNREADABLE
from clio_sync.vault import Binding, Unsealable


@dataclass(frozen=True)
class Slot:
    """One field that holds sealed bytes."""

    model: type[Connection] | type[Delivery] | type[DeliveryPart]
    field: str
    binding: Callable[[Any], Binding]

    def filled(self) -> Iterator[Any]:
        rows = self.model._default_manager.exclude(**{self.field: b""})
        yield from rows.iterator(chunk_size=200)

    def open(self, row: Any) -> None:
        vault.open_sealed(getattr(row, self.field), binding=self.binding(row))


TOKENS: Final = (
    Slot(Connection, "access_sealed", lambda row: Binding.access(row.pk, version=row.token_version)),
    Slot(Connection, "refresh_sealed", lambda row: Binding.refresh(row.pk, version=row.token_version)),
)
SLOTS: Final = (
    *TOKENS,
    Slot(Delivery, "put_url_sealed", lambda row: Binding.put_url(row.pk)),
    Slot(
        DeliveryPart,
        "put_url_sealed",
        lambda row: Binding.part_url(row.delivery_id, number=row.number),
    ),
)


@dataclass
class Resealed:
    """What a run found. `done` were sealed anew, or would be; `current` needed nothing."""

    done: int = 0
    current: int = 0
    unreadable: int = 0


def reseal(*, dry_run: bool = False) -> Resealed:
    """Seal everything under the first key. It may be stopped and run again, also while the portal works."""
    result = Resealed()
    for slot in SLOTS:
        for row in slot.filled():
            _reseal(slot, row, result, dry_run=dry_run)
    return result


def forget_unreadable() -> int:
    """After a key was lost: drop what no key opens. Those connections need reconnecting, and nothing else."""
    forgotten = 0
    for slot in SLOTS:
        for row in slot.filled():
            try:
                slot.open(row)
            except Unsealable:
                forgotten += 1
                if isinstance(row, Connection):
                    needs_reconnecting(row, reason="token_unreadable", sentence=UNREADABLE)
                slot.model._default_manager.filter(pk=row.pk).update(**{slot.field: b""})
    return forgotten


def trouble() -> str:
    """Why the stored tokens cannot be opened, or nothing. Each stored token is the canary of its key."""
    for slot in TOKENS:
        for row in slot.filled():
            try:
                slot.open(row)
            except Unsealable as error:
                return f"The access of the connection {row.pk} cannot be opened: {error}"
    return ""


HINT: Final = (
    "Put the key back into TOKEN_KEYS. If it is lost: manage.py rotate_token_keys --forget-unreadable, "
    "then reconnect."
)


@register(Tags.database)
def check_keys(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Run by `manage.py check --database default`, to notice a wrong key before anybody is served."""
    if not databases or "default" not in databases:
        return []
    if Connection._meta.db_table not in databases_by_name["default"].introspection.table_names():
        return []  # before the first migration
    found = trouble()
    return [Error(found, hint=HINT, id="clio_sync.E002")] if found else []


def _reseal(slot: Slot, row: Any, result: Resealed, *, dry_run: bool) -> None:
    stored = bytes(getattr(row, slot.field))
    try:
        plain = vault.open_sealed(stored, binding=slot.binding(row))
    except Unsealable:
        result.unreadable += 1
        return
    if vault.sealed_under(stored) == vault.current_key():
        result.current += 1
        return
    result.done += 1
    if not dry_run:
        # Only where the same bytes still stand: a token renewed meanwhile is under the first key already.
        unchanged = slot.model._default_manager.filter(**{"pk": row.pk, slot.field: stored})
        unchanged.update(**{slot.field: vault.seal(plain, binding=slot.binding(row))})
