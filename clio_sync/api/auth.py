"""Where a client's access token comes from.

The client holds no token of its own: it asks for one before each call, so that a token refreshed by another
process is used at once (docs.developers.clio.com/api-docs/clio-manage/authorization/).
"""

from __future__ import annotations

from typing import Protocol

from clio_sync.api.secret import Secret


class TokenSource(Protocol):
    """The current access token of one connection, and what to do when Clio rejects it."""

    def __call__(self) -> Secret:
        """The token to use now. May raise NeedsReconnect or RetryLater instead."""

    def on_rejected(self, token: Secret) -> Secret | None:
        """Clio answered 401 to `token`: a newer one, or None when there is none to be had.

        Asked at most once per call. Return None rather than the same token again. May raise NeedsReconnect or
        RetryLater.
        """


class FixedToken:
    """One token that cannot be renewed: for the minutes between consent and the stored connection, and for
    scripts.
    """

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self) -> Secret:
        return self._token

    def on_rejected(self, token: Secret) -> Secret | None:
        return None
