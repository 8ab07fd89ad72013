"""A Clio client for one stored connection, which renews its token and notes how the calls go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from clio_sync import limits, regions, tokens
from clio_sync.api import errors
from clio_sync.api.client import CallReport, ClioClient
from clio_sync.api.secret import Secret
from clio_sync.crashpoints import crashpoint
from clio_sync.models import Connection
from clio_sync.parking import needs_reconnecting

NOTED_EVERY: Final = timedelta(minutes=1)
LONGEST: Final = 300
"""Characters of a sentence that the row holds."""


def client_for(
    connection: Connection,
    *,
    before_call: Callable[[str], None] | None = None,
) -> ClioClient:
    """A client that speaks for `connection`; close it. For one thread.

    A token that Clio rejects is renewed once; when the renewed one is rejected too, the connection needs
    reconnecting. Each call waits for its turn in the connection's budget, as one a person waits for, unless
    `before_call` sees to that; whatever Clio answers teaches the budget.
    """
    watch = _Watch(connection)
    return ClioClient(
        regions.app_for(connection.region).origin,
        watch,
        storage_policy=regions.storage_policy(connection.region),
        before_call=before_call or limits.gate(connection.pk),
        on_response=watch.heard,
    )


class _Watch:
    """Where the client's tokens come from, and who hears of its calls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._renewed: Secret | None = None

    def __call__(self) -> Secret:
        return tokens.fresh_token(self._connection)

    def on_rejected(self, token: Secret) -> Secret | None:
        crashpoint("C25")
        self._renewed = tokens.after_rejection(self._connection, token=token)
        return self._renewed

    def heard(self, report: CallReport) -> None:
        renewed, self._renewed = self._renewed, None
        if report.status != 401:
            note(self._connection, trouble(report.status))
        elif renewed is not None:
            self._give_up(renewed)
        limits.note_response(self._connection, report)

    def _give_up(self, renewed: Secret) -> None:
        """Clio rejects even a token it has just given, unless somebody reconnected in this very moment."""
        row = Connection.objects.get(pk=self._connection.pk)
        if tokens.access_of(row) == renewed:
            needs_reconnecting(row, reason="token_rejected", sentence=errors.TokenRejected.words, status=401)
        note(self._connection, errors.TokenRejected.words)


def trouble(status: int | None) -> str:
    """What a status says against the connection itself, or nothing: a refused document is not its fault."""
    if status is None:
        return errors.Unreachable.words
    if status == 403:
        return errors.Forbidden.words
    if status == 429:
        return errors.RateLimited.words
    return errors.ServerTrouble.words if status >= 500 else ""


def note(connection: Connection, sentence: str) -> None:
    """Remember the last call, once a minute at most, and a new trouble at once."""
    now, sentence = timezone.now(), sentence[:LONGEST]
    is_known = connection.last_error == sentence and _is_recent(connection.last_error_at)
    if sentence and not is_known:
        connection.last_error, connection.last_error_at = sentence, now
    elif _is_recent(connection.last_call_at):
        return
    connection.last_call_at = now
    connection.save(update_fields=["last_call_at", "last_error", "last_error_at"])


def _is_recent(moment: datetime | None) -> bool:
    return moment is not None and moment > timezone.now() - NOTED_EVERY
