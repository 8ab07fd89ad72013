"""The access token of a connection, renewed early, by one process at a time, no transaction across HTTP.

Whoever finds the token due takes a lease on the row, asks Clio, and stores the answer only if the row is
still at the version it started from. Everyone else goes on with the old token, which is good for a while
yet; when it is not, they wait for the new one to appear.
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clio_sync import regions, vault
from clio_sync.api import oauth
from clio_sync.api.errors import AppRejected, ClioError, GrantRevoked, NeedsReconnect, RetryLater
from clio_sync.api.oauth import Tokens
from clio_sync.api.secret import Secret
from clio_sync.clock import database_now
from clio_sync.models import Connection
from clio_sync.parking import needs_reconnecting
from clio_sync.vault import Binding
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record

LEASE = timedelta(seconds=60)
"""Longer than a call to the token endpoint may take (`api.oauth.REFRESH_SECONDS`), by the database's clock;
a process that dies in between blocks nobody for longer. Read as `tokens.LEASE`: a harness shortens it.
"""
COOLDOWN: Final = timedelta(seconds=10)
"""After a failed renewal, before anybody asks again."""
MARGIN: Final = timedelta(minutes=15)
LEAST_LEFT: Final = timedelta(seconds=30)
UNREADABLE: Final = "The stored access of this connection cannot be read. An admin has to reconnect it."
BEING_RENEWED: Final = "The connection to Clio is being renewed."
PATIENCE: Final = 15.0
SECOND_LOOK: Final = 2.0
"""Seconds until a refused grant is asked about once more: token servers have been wrong for a moment."""


def fresh_token(connection: Connection) -> Secret:
    """The token to use now, renewed when less than 15 minutes or a tenth of its life are left.

    Raises NeedsReconnect when a person has to reconnect, and RetryLater when Clio cannot be asked just now.
    """
    row = _current(connection.pk)
    if not is_due(row, timezone.now()):
        return access_of(row)
    return _renewed(row, may_use_old=_is_usable(row))


def after_rejection(connection: Connection, *, token: Secret) -> Secret:
    """Clio answered 401 to `token`: the newer one if there is one already, else a renewed one."""
    row = _current(connection.pk)
    current = access_of(row)
    return current if current != token else _renewed(row, may_use_old=False)


def is_due(row: Connection, now: datetime) -> bool:
    """Whether to renew. A token that lives shorter than our margin is renewed at half its life."""
    if row.expires_at is None:
        return True
    life = row.expires_at - row.token_issued_at if row.token_issued_at else MARGIN
    return row.expires_at - min(max(MARGIN, life / 10), life / 2) <= now


def sealed(connection_id: UUID, *, version: int, access: Secret, refresh: Secret) -> dict[str, bytes]:
    """Both tokens as the row of this version keeps them."""
    return {
        "access_sealed": vault.seal(access, binding=Binding.access(connection_id, version=version)),
        "refresh_sealed": vault.seal(refresh, binding=Binding.refresh(connection_id, version=version)),
    }


def access_of(row: Connection) -> Secret:
    """The stored access token, however old."""
    return _opened(row, row.access_sealed, Binding.access(row.pk, version=row.token_version))


def _current(connection_id: UUID) -> Connection:
    row = Connection.objects.get(pk=connection_id)
    if row.status == Connection.Status.ACTIVE:
        return row
    if row.status == Connection.Status.DISCONNECTED:
        raise NeedsReconnect("This connection was ended. An admin has to connect again.")
    raise GrantRevoked


def _renewed(row: Connection, *, may_use_old: bool) -> Secret:
    me, pause = secrets.token_hex(16), 0.1
    give_up = time.monotonic() + PATIENCE
    while not _takes_lease(row, me):
        if may_use_old:
            return access_of(row)
        if time.monotonic() > give_up:
            raise RetryLater(BEING_RENEWED, retry_after=COOLDOWN.total_seconds())
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
        newer = _current(row.pk)
        if newer.token_version != row.token_version:
            return access_of(newer)
    return _refreshed(row, me, may_use_old=may_use_old)


def _takes_lease(row: Connection, me: str) -> bool:
    """Whether this process is the one to ask. Of any number that try at once, one is."""
    now = database_now()
    free = Q(refresh_lease_until=None) | Q(refresh_lease_until__lt=now)
    return _leases(row, me, free, now)


def _still_holds(row: Connection, me: str) -> bool:
    """Whether nobody else has renewed meanwhile, nor begun to; then the lease runs anew."""
    return _leases(row, me, Q(refresh_lease_owner=me), database_now())


def _leases(row: Connection, me: str, standing: Q, now: datetime) -> bool:
    leased = Connection.objects.filter(
        standing, pk=row.pk, token_version=row.token_version, status=Connection.Status.ACTIVE
    ).update(refresh_lease_owner=me, refresh_lease_until=now + LEASE)
    return bool(leased)


def _refreshed(row: Connection, me: str, *, may_use_old: bool) -> Secret:
    try:
        tokens = _asked_twice(row, me)
    except NeedsReconnect as error:
        needs_reconnecting(
            row,
            reason="grant_revoked",
            sentence=error.sentence,
            status=error.status,
            only_if=Q(refresh_lease_owner=me),
        )
        return access_of(_current(row.pk))
    except ClioError as error:
        _cool_down(row, me, error)
        if may_use_old:
            return access_of(row)
        raise
    return _anothers(row) if tokens is None else _stored(row, me, tokens)


def _anothers(row: Connection) -> Secret:
    """The token that somebody else has renewed meanwhile. Raises RetryLater while they are at it."""
    newer = _current(row.pk)
    if newer.token_version == row.token_version:
        raise RetryLater(BEING_RENEWED, retry_after=COOLDOWN.total_seconds())
    return access_of(newer)


def _asked_twice(row: Connection, me: str) -> Tokens | None:
    """Clio's answer, or None when a refused grant is old news: somebody else has renewed, or is about to."""
    try:
        return _asked(row)
    except GrantRevoked:
        if not _still_holds(row, me):
            return None
        time.sleep(SECOND_LOOK)
    return _asked(row) if _still_holds(row, me) else None


def _asked(row: Connection) -> Tokens:
    refresh = _opened(row, row.refresh_sealed, Binding.refresh(row.pk, version=row.token_version))
    try:
        app = regions.app_for(row.region)
    except regions.RegionNotReady as error:
        raise AppRejected(str(error)) from error
    return oauth.refresh(app, refresh_token=refresh)


def _stored(row: Connection, me: str, tokens: Tokens) -> Secret:
    """Keep the new tokens, unless the row has moved on: then the newer ones count and these are forgotten."""
    version, now = row.token_version + 1, timezone.now()
    kept = tokens.refresh_token or _opened(
        row, row.refresh_sealed, Binding.refresh(row.pk, version=row.token_version)
    )
    expires_at = now + timedelta(seconds=tokens.expires_in)
    with transaction.atomic():
        stored = Connection.objects.filter(
            pk=row.pk, token_version=row.token_version, refresh_lease_owner=me
        ).update(
            token_version=version,
            token_issued_at=now,
            expires_at=expires_at,
            refresh_lease_owner="",
            refresh_lease_until=None,
            **sealed(row.pk, version=version, access=tokens.access_token, refresh=kept),
        )
        if stored:
            record(
                Event.CONNECTION_TOKEN_REFRESHED,
                actor=Actor.system("connections"),
                subject=Subject("connection", row.pk),
                region=row.region,
                token_version=version,
                expires_at=expires_at,
                rotated=tokens.refresh_token is not None,
            )
    return tokens.access_token if stored else access_of(_current(row.pk))


def _cool_down(row: Connection, me: str, error: ClioError) -> None:
    now = timezone.now()
    Connection.objects.filter(pk=row.pk, refresh_lease_owner=me).update(
        refresh_lease_owner="",
        refresh_lease_until=now + COOLDOWN,
        last_error=error.sentence[:300],
        last_error_at=now,
    )


def _is_usable(row: Connection) -> bool:
    return row.expires_at is not None and row.expires_at - LEAST_LEFT > timezone.now()


def _opened(row: Connection, stored: bytes | memoryview, binding: Binding) -> Secret:
    try:
        return vault.open_sealed(stored, binding=binding)
    except vault.KeyMissing as missing:
        # The operator can put the key back; asking a person to reconnect would throw good tokens away.
        raise RetryLater(str(missing)) from missing
    except vault.Unsealable as error:
        needs_reconnecting(row, reason="token_unreadable", sentence=UNREADABLE)
        raise NeedsReconnect(UNREADABLE) from error
