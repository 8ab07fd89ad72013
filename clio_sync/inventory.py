"""Every place where a secret is kept, for an audit and for the day on which one leaked. Shows no secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.sessions.models import Session

from clio_sync import keys
from clio_sync.models import OAuthState
from portal.accounts.models import ApiKey, User
from portal.audit.models import TextSecret

IN_SETTINGS: Final = (
    "SECRET_KEY",
    "TOKEN_KEYS",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "CACHE_URL",
    "EMAIL_HOST_PASSWORD",
    *(f"CLIO_{region.upper()}_CLIENT_SECRET" for region in settings.CLIO_APPS),
)


@dataclass(frozen=True)
class Place:
    where: str
    count: int
    how: str


def places() -> Iterator[Place]:
    yield from _sealed()
    yield Place("clio_sync_oauthstate.digest", OAuthState.objects.count(), "SHA-256; good for ten minutes")
    yield Place("accounts_apikey.secret_sha256", ApiKey.objects.count(), "SHA-256; shown once when made")
    yield Place("accounts_user.password", User.objects.count(), "salted hash (Django's PBKDF2)")
    yield Place("django_session.session_key", Session.objects.count(), "plain: whoever reads it is signed in")
    yield Place(
        "audit_textsecret.value", TextSecret.objects.count(), "plain: words of people, no credentials"
    )
    yield Place("files in DATA_DIR/blobs", _files("blobs"), "plain: clients' documents, no credentials")
    yield Place(
        "files in DATA_DIR/mail", _files("mail"), "plain: mail that was not sent, with password links"
    )
    for name in IN_SETTINGS:
        yield Place(f"setting {name}", int(_how(name) != NOT_SET), _how(name))


NOT_SET: Final = "not set"


def _sealed() -> Iterator[Place]:
    used = keys.used_keys()
    for slot in keys.SLOTS:
        under = {key_id: count for (name, key_id), count in used.items() if name == slot.name}
        told = ", ".join(f"{count} under {key_id!r}" for key_id, count in sorted(under.items()))
        yield Place(
            slot.name, sum(under.values()), f"AES-256-GCM, bound to its row{': ' if told else ''}{told}"
        )


def _files(folder: str) -> int:
    return sum(path.is_file() for path in Path(settings.DATA_DIR, folder).rglob("*"))


def _how(name: str) -> str:
    if os.environ.get(f"{name}_FILE"):
        return "plain, in a file of its own"
    return "plain, in the environment" if os.environ.get(name) else NOT_SET
