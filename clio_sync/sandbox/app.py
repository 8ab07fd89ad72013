"""The registered application: its key and secret, and where it may send people back to."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from clio_sync.sandbox.state import State

LOOPBACK = "loopback"
_LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str
    name: str
    redirect_uris: tuple[str, ...]

    def knows(self, redirect_uri: str) -> bool:
        """Exactly as registered. ``loopback`` stands for any address on this machine, for convenience."""
        if LOOPBACK in self.redirect_uris and _is_loopback(redirect_uri):
            return True
        return redirect_uri in self.redirect_uris

    def is_authentic(self, client_id: str, client_secret: str) -> bool:
        same_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        return hmac.compare_digest(client_secret.encode(), self.client_secret.encode()) and same_id


def load(state: State) -> App:
    stored = json.loads(state.meta("app") or "{}")
    return App(
        client_id=stored.get("client_id", "sandbox-app"),
        client_secret=stored.get("client_secret", "sandbox-secret"),
        name=stored.get("name", "Countersign"),
        redirect_uris=tuple(stored.get("redirect_uris", (LOOPBACK,))),
    )


def change(state: State, **values: object) -> None:
    state.set_meta("app", json.dumps({**json.loads(state.meta("app") or "{}"), **values}))


def _is_loopback(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:  # such as an unclosed bracket
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK_HOSTS and not parts.fragment
