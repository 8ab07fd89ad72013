"""Consents, codes and tokens. Only hashes of secrets are kept, as a real provider would."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass

from clio_sync.sandbox.errors import BadToken
from clio_sync.sandbox.state import State

# What the app asks for, in the words of Clio's application form.
PERMISSIONS = {
    "users": "read",
    "matters": "read",
    "contacts": "read",
    "documents": "write",
}


class InvalidGrant(Exception):
    """The code or refresh token is unknown, used, expired or revoked."""


@dataclass(frozen=True)
class Bearer:
    """Who a call is made for."""

    token_id: int
    user_id: int
    consent_id: int
    permissions: dict[str, str]

    def may(self, resource: str, *, write: bool) -> bool:
        granted = self.permissions.get(resource)
        return granted == "write" or (granted == "read" and not write)


@dataclass(frozen=True)
class Issued:
    access_token: str
    refresh_token: str | None
    expires_in: int


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def app_permissions(state: State) -> dict[str, str]:
    stored = state.meta("app_permissions")
    return dict(json.loads(stored)) if stored else dict(PERMISSIONS)


def consent(state: State, user_id: int) -> int:
    """Record that a user allowed the app, with the permissions of this moment: changes do not reach back."""
    permissions = json.dumps(app_permissions(state))
    return state.insert("consent", user_id=user_id, permissions=permissions, created_at=state.stamp())


def make_code(state: State, user_id: int, *, redirect_uri: str) -> str:
    code = secrets.token_urlsafe(24)
    expires = state.now_s() + state.number("code_seconds")
    state.insert("code", hash=hashed(code), user_id=user_id, redirect_uri=redirect_uri, expires_at_s=expires)
    return code


def exchange(state: State, code: str, *, redirect_uri: str) -> Issued:
    """Turn a code into tokens, once. A second use may revoke what the first one gave (RFC 6749, 4.1.2)."""
    row = state.one("SELECT * FROM code WHERE hash = ?", hashed(code))
    if row is None or row["expires_at_s"] <= state.now_s() or row["redirect_uri"] != redirect_uri:
        raise InvalidGrant
    if row["used"]:
        _punish_code_reuse(state, row["grant_id"])
        raise InvalidGrant
    consent_id = consent(state, row["user_id"])
    state.run("UPDATE code SET used = 1, grant_id = ? WHERE hash = ?", consent_id, hashed(code))
    return issue(state, consent_id)


def _punish_code_reuse(state: State, consent_id: int) -> None:
    if state.flag("code_reuse_kills_grant"):
        revoke_consent(state, consent_id)


def issue(state: State, consent_id: int) -> Issued:
    access = _access_token(state, consent_id)
    return Issued(access, _refresh_token(state, consent_id), _lifetime(state))


def refresh(state: State, refresh_token: str) -> Issued:
    """A new access token. Clio Manage keeps the refresh token as it is; the switches say otherwise."""
    row = state.one("SELECT * FROM token WHERE hash = ? AND kind = 'refresh'", hashed(refresh_token))
    if row is None or not _consent_stands(state, row["consent_id"]):
        raise InvalidGrant
    if row["ended"]:
        _punish_reuse(state, row["consent_id"], why=row["ended"])
        raise InvalidGrant
    if state.flag("refresh_ends_old_access"):
        end_tokens(state, row["consent_id"], kind="access", why="refreshed")
    rotation = state.word("refresh_rotation")
    if rotation == "kill":
        state.run("UPDATE token SET ended = 'rotated' WHERE id = ?", row["id"])
    new = _refresh_token(state, row["consent_id"]) if rotation != "none" else None
    return Issued(_access_token(state, row["consent_id"]), new, _lifetime(state))


def _punish_reuse(state: State, consent_id: int, *, why: str) -> None:
    if why == "rotated" and state.flag("refresh_reuse_kills_grant"):
        revoke_consent(state, consent_id)


def bearer(state: State, token: str) -> Bearer:
    row = state.one(
        "SELECT token.*, consent.user_id, consent.permissions, user.enabled FROM token"
        " JOIN consent ON consent.id = token.consent_id JOIN user ON user.id = consent.user_id"
        " WHERE token.hash = ? AND token.kind = 'access' AND token.ended IS NULL"
        " AND consent.revoked_at IS NULL AND token.expires_at_s > ?",
        hashed(token),
        state.now_s(),
    )
    if row is None or not row["enabled"]:
        raise BadToken
    return Bearer(row["id"], row["user_id"], row["consent_id"], json.loads(row["permissions"]))


def deauthorize(state: State, consent_id: int) -> None:
    if state.flag("deauthorize_ends_refresh"):
        revoke_consent(state, consent_id)
    else:
        end_tokens(state, consent_id, kind="access", why="deauthorized")


def revoke_consent(state: State, consent_id: int) -> None:
    state.run(
        "UPDATE consent SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", state.stamp(), consent_id
    )


def revoke_user(state: State, user_id: int | None) -> int:
    """As if the user (or everyone) had removed the app in Clio. Says how many grants that ended."""
    return state.run(
        "UPDATE consent SET revoked_at = ? WHERE revoked_at IS NULL AND (? IS NULL OR user_id = ?)",
        state.stamp(),
        user_id,
        user_id,
    )


def end_tokens(state: State, consent_id: int, *, kind: str, why: str) -> None:
    state.run(
        "UPDATE token SET ended = ? WHERE consent_id = ? AND kind = ? AND ended IS NULL",
        why,
        consent_id,
        kind,
    )


def _consent_stands(state: State, consent_id: int) -> bool:
    return state.one("SELECT 1 FROM consent WHERE id = ? AND revoked_at IS NULL", consent_id) is not None


def _lifetime(state: State) -> int:
    return int(state.number("access_token_seconds"))


def _access_token(state: State, consent_id: int) -> str:
    token = f"{consent_id}-{secrets.token_urlsafe(32)}"
    expires = state.now_s() + _lifetime(state)
    _keep(state, token, consent_id, kind="access", expires_at_s=expires)
    return token


def _refresh_token(state: State, consent_id: int) -> str:
    token = secrets.token_urlsafe(32)
    _keep(state, token, consent_id, kind="refresh", expires_at_s=None)
    return token


def _keep(state: State, token: str, consent_id: int, *, kind: str, expires_at_s: float | None) -> None:
    state.insert(
        "token",
        kind=kind,
        hash=hashed(token),
        consent_id=consent_id,
        expires_at_s=expires_at_s,
        created_at=state.stamp(),
    )
