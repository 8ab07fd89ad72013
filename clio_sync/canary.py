"""Whether TOKEN_KEYS holds the right keys, asked before anybody is served.

For each key that was ever first there is a row with a known text sealed under it. A key that does not open
its canary is another key by the same name: what it sealed would be lost once the right one came back.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections as databases_by_name

from clio_sync import vault
from clio_sync.keys import TOKENS, trouble
from clio_sync.models import KeyCanary
from clio_sync.vault import Binding, Unsealable

TEXT: Final = "This is the key that it says it is."
HINT: Final = (
    "Put the key back into TOKEN_KEYS. If it is lost: manage.py rotate_token_keys --forget-unreadable, "
    "then reconnect."
)


class WrongKeys(ImproperlyConfigured):
    """TOKEN_KEYS is not what this database was sealed with. The portal does not start."""


def prove() -> None:
    """Raise WrongKeys unless the keys are right; then leave a canary of the first one for the next start."""
    found = problem()
    if found:
        raise WrongKeys(f"{found} {HINT}")
    leave()


def leave() -> None:
    """A canary of the key that seals now, unless there is one."""
    key_id = vault.current_key()
    if not KeyCanary.objects.filter(pk=key_id).exists():
        sealed = vault.seal(TEXT, binding=Binding.canary(key_id))
        KeyCanary.objects.bulk_create([KeyCanary(key_id=key_id, sealed=sealed)], ignore_conflicts=True)


def problem() -> str:
    """What is wrong with the keys, in a sentence, or nothing."""
    known = dict(KeyCanary.objects.values_list("key_id", "sealed"))
    for key_id in settings.TOKEN_KEYS:
        if key_id in known and not _opens(key_id, known[key_id]):
            return f"The key {key_id!r} of TOKEN_KEYS is not the key of that name which this database knows."
    if known and not set(known) & set(settings.TOKEN_KEYS):
        return f"TOKEN_KEYS holds none of the keys that this database knows: {', '.join(sorted(known))}."
    return _missing() or ("" if known else trouble())


@register(Tags.database)
def check_keys(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Run by `manage.py check --database default` and by `migrate`."""
    if not databases or "default" not in databases:
        return []
    if KeyCanary._meta.db_table not in databases_by_name["default"].introspection.table_names():
        return []  # before the first migration
    found = problem() or trouble()
    return [Error(found, hint=HINT, id="clio_sync.E002")] if found else []


def _opens(key_id: str, sealed: bytes | memoryview) -> bool:
    try:
        return vault.open_sealed(sealed, binding=Binding.canary(key_id)).reveal() == TEXT
    except Unsealable:
        return False


def _missing() -> str:
    """A token may be damaged, and that is its connection's matter. That its key is gone concerns them all."""
    for slot in TOKENS:
        for row in slot.filled():
            key_id = slot.key_of(row)
            if key_id and key_id not in settings.TOKEN_KEYS:
                return f"The access of the connection {row.pk} is sealed under {key_id!r}, not in TOKEN_KEYS."
    return ""
