"""Secrets at rest: AES-256-GCM under a named key, bound to the one place where each may be opened.

The binding is associated data, so a ciphertext moved to another row, field or token version does not open,
although the key is right. The first of TOKEN_KEYS seals; the others only still open, until
`manage.py rotate_token_keys` has sealed everything anew.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from clio_sync.api.secret import Secret
from clio_sync.models import Connection, Delivery, DeliveryPart, KeyCanary

FORMAT: Final = b"\x01"
NONCE_BYTES: Final = 12


class Unsealable(Exception):
    """A stored secret does not open: it was changed, or it was sealed for another place."""


class KeyMissing(Unsealable):
    """A stored secret names a key that TOKEN_KEYS does not hold."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(f"TOKEN_KEYS has no key named {key_id!r}, which stored secrets need.")


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Where a secret belongs. `version` tells apart what stood in the same field at different times."""

    table: str
    row: uuid.UUID
    field: str
    version: int

    @classmethod
    def access(cls, connection_id: uuid.UUID, *, version: int) -> Binding:
        return cls(table=Connection._meta.db_table, row=connection_id, field="access", version=version)

    @classmethod
    def refresh(cls, connection_id: uuid.UUID, *, version: int) -> Binding:
        return cls(table=Connection._meta.db_table, row=connection_id, field="refresh", version=version)

    @classmethod
    def put_url(cls, delivery_id: uuid.UUID) -> Binding:
        """A put_url lives for minutes, so an earlier one of the same delivery is of no use to a thief."""
        return cls(table=Delivery._meta.db_table, row=delivery_id, field="put_url", version=0)

    @classmethod
    def part_url(cls, delivery_id: uuid.UUID, *, number: int) -> Binding:
        return cls(table=DeliveryPart._meta.db_table, row=delivery_id, field=f"put_url.{number}", version=0)

    @classmethod
    def canary(cls, key_id: str) -> Binding:
        return cls(table=KeyCanary._meta.db_table, row=uuid.UUID(int=0), field=key_id, version=0)

    def as_bytes(self) -> bytes:
        return f"v1|{self.table}|{self.row}|{self.field}|{self.version}".encode()


def seal(plain: Secret | str, *, binding: Binding) -> bytes:
    """`plain` under the first key: format, key id, nonce, ciphertext and tag."""
    key_id, key = next(iter(settings.TOKEN_KEYS.items()))
    text = plain.reveal() if isinstance(plain, Secret) else plain
    head, nonce = _head(key_id), secrets.token_bytes(NONCE_BYTES)
    return head + nonce + AESGCM(key).encrypt(nonce, text.encode(), head + binding.as_bytes())


def open_sealed(sealed: bytes | memoryview, *, binding: Binding) -> Secret:
    """What was sealed for this very place. Raises Unsealable otherwise (KeyMissing: no such key)."""
    stored = bytes(sealed)
    key_id = sealed_under(stored)
    key = settings.TOKEN_KEYS.get(key_id)
    if key is None:
        raise KeyMissing(key_id)
    head = _head(key_id)
    nonce, body = stored[len(head) :][:NONCE_BYTES], stored[len(head) + NONCE_BYTES :]
    try:
        return Secret(AESGCM(key).decrypt(nonce, body, head + binding.as_bytes()).decode())
    except (InvalidTag, ValueError):
        raise Unsealable("A stored secret was changed, or belongs to another place.") from None


def sealed_under(sealed: bytes | memoryview) -> str:
    """The id of the key that sealed this. Raises Unsealable for anything that `seal` did not make."""
    stored = bytes(sealed)
    if stored[:1] != FORMAT or len(stored) < 2:
        raise Unsealable("A stored secret is not in the form that this release writes.")
    try:
        return stored[2 : 2 + stored[1]].decode("ascii")
    except UnicodeDecodeError:
        raise Unsealable("A stored secret is not in the form that this release writes.") from None


def current_key() -> str:
    """The id of the key that seals now."""
    return str(next(iter(settings.TOKEN_KEYS)))


def _head(key_id: str) -> bytes:
    name = key_id.encode("ascii")
    return FORMAT + bytes([len(name)]) + name
