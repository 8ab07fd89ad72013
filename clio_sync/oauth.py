"""To Clio's consent page and back: how a connection is made, and how a broken one is mended.

Calls to Clio stand outside transactions; each change and its entry in the log share one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from clio_sync import consents, regions, tokens
from clio_sync.api import oauth as protocol
from clio_sync.api.auth import FixedToken
from clio_sync.api.client import ClioClient
from clio_sync.api.errors import ClioError, NeedsReconnect
from clio_sync.api.oauth import Tokens
from clio_sync.api.secret import Secret
from clio_sync.api.wire import WhoAmI
from clio_sync.models import Connection, OAuthState
from clio_sync.parking import parked, resume_deliveries
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Outcome

Status = Connection.Status


class ConnectFailed(Exception):
    """The consent did not lead to a connection. Nothing was changed."""

    reason = "failed"

    def __init__(self, sentence: str, *, reason: str = "", status: int | None = None) -> None:
        self.sentence = sentence
        self.reason = reason or self.reason
        self.status = status
        super().__init__(sentence)


class OtherAccount(ConnectFailed):
    """The person chose another Clio account than the one that was to be reconnected."""

    reason = "other_account"


class OtherClioUser(ConnectFailed):
    """A lawyer's own connection was to be reconnected as somebody else."""

    reason = "other_clio_user"


class AlreadyConnected(ConnectFailed):
    """This Clio user is connected already, by somebody else or for another purpose."""

    reason = "already_connected"


@dataclass(frozen=True, kw_only=True)
class Connected:
    connection: Connection
    is_new: bool
    resumed: int = 0  # deliveries that had waited for it


def start(
    user: User,
    *,
    by: Actor,
    session_key: str,
    region: str,
    reconnect: Connection | None = None,
    is_personal: bool = False,
) -> str:
    """Begin a consent: the address at Clio to send this person to. Raises RegionNotReady."""
    with transaction.atomic():
        state, address = consents.ask(
            user, session_key=session_key, region=region, reconnect=reconnect, is_personal=is_personal
        )
        record(
            Event.CONNECTION_CONNECT_STARTED,
            actor=by,
            subject=_subject(reconnect),
            region=region,
            state=state.digest,
            reconnect=reconnect is not None,
        )
    return address


def decline(state: OAuthState, *, by: Actor) -> None:
    """The person said no at Clio."""
    with transaction.atomic():
        record(
            Event.CONNECTION_DECLINED,
            actor=by,
            subject=_subject(state.reconnect),
            region=state.region,
            state=state.digest,
            reason="access_denied",
        )


def refuse(
    *, by: Actor, reason: str, region: str = "", status: int | None = None, about: Connection | None = None
) -> None:
    """Note a way back from Clio that led nowhere."""
    with transaction.atomic():
        record(
            Event.CONNECTION_FAILED,
            actor=by,
            subject=_subject(about),
            outcome=Outcome.DENIED if reason.startswith("state_") else Outcome.ERROR,
            region=region or None,
            reason=reason,
            status=status,
        )


def finish(state: OAuthState, *, code: Secret, by: Actor) -> Connected:
    """Turn the code that came back into a connection, or mend the one the consent was asked for.

    Raises ConnectFailed, with a sentence for the person; then nothing was changed, and tokens that came are
    given back to Clio.
    """
    fresh: Tokens | None = None
    me: WhoAmI | None = None
    try:
        app = regions.app_for(state.region)
        fresh = protocol.exchange_code(app, code=code, redirect_uri=regions.redirect_uri())
        me = _who(state.region, fresh.access_token)
        return _keep(state, fresh, me, by=by)
    except (ClioError, regions.RegionNotReady, ConnectFailed) as error:
        failed = _failed(error)
        if fresh is not None and not _may_serve_another(state.region, me):
            deauthorize(state.region, fresh.access_token)
        if not isinstance(failed, OtherAccount):
            refuse(
                by=by, reason=failed.reason, region=state.region, status=failed.status, about=state.reconnect
            )
        raise failed from error


def _who(region: str, token: Secret) -> WhoAmI:
    origin = regions.app_for(region).origin
    with ClioClient(origin, FixedToken(token), storage_policy=regions.storage_policy(region)) as clio:
        return clio.who_am_i()


def _failed(error: Exception) -> ConnectFailed:
    if isinstance(error, ConnectFailed):
        return error
    if isinstance(error, NeedsReconnect):
        sentence = "Clio no longer accepts the code it sent. It is good once and for ten minutes."
        return ConnectFailed(sentence, reason="code_refused", status=error.status)
    if isinstance(error, ClioError):
        return ConnectFailed(error.sentence, reason="clio_refused", status=error.status)
    return ConnectFailed(str(error), reason="region_not_ready")


def _keep(state: OAuthState, fresh: Tokens, me: WhoAmI, *, by: Actor) -> Connected:
    target = state.reconnect or _live(state.region, me) or _ended(state, me)
    if target is None:
        return _connect(state, fresh, me, by=by)
    if state.reconnect is not None:
        _must_match(target, me, by=by)
    elif target.owner_id != (state.user_id if state.is_personal else None):
        whose = f"{target.owner}’s own connection" if target.owner else "a connection of the firm"
        raise AlreadyConnected(f"{me.name} of {me.account.name} is already connected, as {whose}.")
    return _reconnect(target, fresh, me, by=by)


def _must_match(target: Connection, me: WhoAmI, *, by: Actor) -> None:
    if target.account_id != me.account.id:
        with transaction.atomic():
            record(
                Event.CONNECTION_ACCOUNT_MISMATCH_REFUSED,
                actor=by,
                subject=_subject(target),
                outcome=Outcome.DENIED,
                region=target.region,
                expected_account=target.account_id,
                clio_account=me.account.id,
            )
        raise OtherAccount(
            f"You signed in to {me.account.name}, but this connection belongs to {target.account_name}. "
            "What waits for it must not go to another account."
        )
    if target.owner_id is not None and target.clio_user_id != me.id:
        raise OtherClioUser(
            f"You signed in as {me.name}, but this is the connection of {target.clio_user_name}."
        )


def _connect(state: OAuthState, fresh: Tokens, me: WhoAmI, *, by: Actor) -> Connected:
    connection = Connection(
        pk=uuid.uuid4(),
        region=state.region,
        owner=state.user if state.is_personal else None,
        connected_by=state.user,
        **_from_clio(me),
    )
    _set_tokens(connection, fresh)
    try:
        with transaction.atomic():
            connection.is_default = not state.is_personal and not _has_default()
            connection.save(force_insert=True)
            record(
                Event.CONNECTION_CONNECTED,
                actor=by,
                subject=_subject(connection),
                region=connection.region,
                clio_account=connection.account_id,
                clio_user=connection.clio_user_id,
                is_default=connection.is_default,
            )
    except IntegrityError as error:
        raise AlreadyConnected("Somebody else connected at the same moment. Look at the list.") from error
    return Connected(connection=connection, is_new=True)


def _has_default() -> bool:
    return Connection.objects.filter(is_default=True).exists()


def _reconnect(target: Connection, fresh: Tokens, me: WhoAmI, *, by: Actor) -> Connected:
    try:
        with transaction.atomic():
            connection = Connection.objects.select_for_update().get(pk=target.pk)
            for name, value in _from_clio(me).items():
                setattr(connection, name, value)
            connection.status, connection.connected_at = Status.ACTIVE, timezone.now()
            connection.last_error, connection.last_error_at = "", None
            connection.is_default |= connection.owner_id is None and not _has_default()
            _set_tokens(connection, fresh)
            connection.save()
            record(
                Event.CONNECTION_RECONNECTED,
                actor=by,
                subject=_subject(connection),
                region=connection.region,
                clio_account=connection.account_id,
                clio_user=connection.clio_user_id,
                resumed=parked(connection).count(),
            )
    except IntegrityError as error:
        raise AlreadyConnected(f"{me.name} is already connected by another connection.") from error
    return Connected(connection=connection, is_new=False, resumed=resume_deliveries(connection, by=by))


def _from_clio(me: WhoAmI) -> dict[str, Any]:
    return {
        "account_id": me.account.id,
        "account_name": (me.account.name or "")[:200],
        "clio_user_id": me.id,
        "clio_user_name": me.name[:200],
    }


def _set_tokens(connection: Connection, fresh: Tokens) -> None:
    """The next version of this row's tokens. A renewal in flight finds its own gone, and stores nothing."""
    now = timezone.now()
    connection.token_version += 1
    connection.token_issued_at, connection.expires_at = now, now + timedelta(seconds=fresh.expires_in)
    connection.refresh_lease_owner, connection.refresh_lease_until = "", None
    assert fresh.refresh_token is not None  # exchange_code refuses an answer without one  # noqa: S101
    sealed = tokens.sealed(
        connection.pk,
        version=connection.token_version,
        access=fresh.access_token,
        refresh=fresh.refresh_token,
    )
    connection.access_sealed, connection.refresh_sealed = sealed["access_sealed"], sealed["refresh_sealed"]


def _live(region: str, me: WhoAmI) -> Connection | None:
    live = Connection.objects.exclude(status=Status.DISCONNECTED)
    return live.filter(region=region, account_id=me.account.id, clio_user_id=me.id).first()


def _ended(state: OAuthState, me: WhoAmI) -> Connection | None:
    """The same link from before it was disconnected: deliveries may still wait for it."""
    owner = state.user if state.is_personal else None
    ended = Connection.objects.filter(status=Status.DISCONNECTED, region=state.region, owner=owner)
    same = ended.filter(account_id=me.account.id, clio_user_id=me.id)
    return same.order_by("-connected_at").first()


def _may_serve_another(region: str, me: WhoAmI | None) -> bool:
    """Giving tokens back could end the grant of a connection that the same Clio user has here."""
    if me is not None:
        return _live(region, me) is not None
    return Connection.objects.filter(region=region).exclude(status=Status.DISCONNECTED).exists()


def deauthorize(region: str, token: Secret) -> bool:
    """Best effort: whether the access is gone at Clio."""
    try:
        protocol.deauthorize(regions.app_for(region), access_token=token)
    except NeedsReconnect:
        return True
    except (ClioError, regions.RegionNotReady):
        return False
    return True


def _subject(connection: Connection | None) -> Subject | None:
    return Subject("connection", connection.pk) if connection else None
