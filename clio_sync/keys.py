"""The keys of the vault as the operator sees them: do they open what is stored, and moving to a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from clio_sync import vault
from clio_sync.models import Connection, Delivery, DeliveryPart, KeyCanary
from clio_sync.parking import needs_reconnecting
from clio_sync.tokens import UNREADABLE
from clio_sync.vault import Binding, Unsealable
from portal.audit.events import Event
from portal.audit.log import Actor, record


@dataclass(frozen=True)
class Slot:
    """One field that holds sealed bytes."""

    model: type[Connection] | type[Delivery] | type[DeliveryPart]
    field: str
    binding: Callable[[Any], Binding]

    def filled(self) -> Iterator[Any]:
        rows = self.model._default_manager.exclude(**{self.field: b""})
        yield from rows.iterator(chunk_size=200)

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.{self.field}"

    def key_of(self, row: Any) -> str:
        """The id of the key that sealed it, or nothing for bytes that no key of ours made."""
        try:
            return vault.sealed_under(getattr(row, self.field))
        except Unsealable:
            return ""

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


UNKNOWN_KEY: Final = "(damaged)"
PROGRESS_EVERY: Final = 100


class KeyInUse(Exception):
    """A key cannot be retired: it seals what is new, or something is still sealed under it."""


@dataclass
class Resealed:
    """What a run found. `done` were sealed anew, or would be; `current` needed nothing."""

    done: int = 0
    current: int = 0
    unreadable: int = 0

    @property
    def seen(self) -> int:
        return self.done + self.current + self.unreadable


def ignore(so_far: Resealed) -> None:
    """Nobody watches."""


def reseal(*, dry_run: bool = False, tell: Callable[[Resealed], None] = ignore) -> Resealed:
    """Seal everything under the first key. It may be stopped and run again, also while the portal works."""
    result = Resealed()
    for slot in SLOTS:
        for row in slot.filled():
            _reseal(slot, row, result, dry_run=dry_run)
            if result.seen % PROGRESS_EVERY == 0:
                tell(result)
    if result.done and not dry_run:
        _record(Event.TOKEN_KEYS_RESEALED, key=vault.current_key(), resealed=result.done)
    return result


def used_keys() -> Counter[tuple[str, str]]:
    """How many secrets are sealed under which key: by where they are kept and the key's id."""
    return Counter((slot.name, slot.key_of(row) or UNKNOWN_KEY) for slot in SLOTS for row in slot.filled())


def retire(key_id: str) -> None:
    """Make sure that nothing needs this key any more, and say so in the log. Raises KeyInUse."""
    if key_id == vault.current_key():
        raise KeyInUse(
            f"{key_id!r} is the first key of TOKEN_KEYS: new secrets are sealed under it. "
            "Put another key first and restart the portal."
        )
    left = {place: count for (place, used), count in used_keys().items() if used == key_id}
    if left:
        told = ", ".join(f"{count} in {place}" for place, count in sorted(left.items()))
        raise KeyInUse(f"Still sealed under {key_id!r}: {told}. Run manage.py rotate_token_keys.")
    KeyCanary.objects.filter(pk=key_id).delete()
    _record(Event.TOKEN_KEYS_RETIRED, key=key_id)


def forget_unreadable() -> int:
    """After a key was lost: drop what no key opens. Those connections need reconnecting, and nothing else."""
    lost = KeyCanary.objects.exclude(pk__in=settings.TOKEN_KEYS)
    forgotten = sum(_forgets(slot, row) for slot in SLOTS for row in slot.filled())
    lost.delete()
    return forgotten


def trouble() -> str:
    """Why the stored tokens cannot be opened, or nothing."""
    for slot in TOKENS:
        for row in slot.filled():
            try:
                slot.open(row)
            except Unsealable as error:
                return f"The access of the connection {row.pk} cannot be opened: {error}"
    return ""


def _record(event: Event, **facts: Any) -> None:
    with transaction.atomic():
        record(event, actor=Actor.system("operator"), subject=None, **facts)


def _forgets(slot: Slot, row: Any) -> bool:
    """Drop this one if no key opens it, unless somebody has written it anew meanwhile."""
    stored = bytes(getattr(row, slot.field))
    try:
        slot.open(row)
    except Unsealable:
        if isinstance(row, Connection):
            needs_reconnecting(row, reason="token_unreadable", sentence=UNREADABLE)
        same = slot.model._default_manager.filter(**{"pk": row.pk, slot.field: stored})
        return bool(same.update(**{slot.field: b""}))
    return False


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
