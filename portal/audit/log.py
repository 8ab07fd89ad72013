"""The only writer of the log.

`record` goes last into the transaction of the act it tells of, so that neither exists without the other.
Taking the head row puts writers in line until that transaction ends: what comes after it keeps everyone
waiting.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils import timezone

from portal.audit.entry import SCHEMA, canonical, entry_hash, leaf_hash
from portal.audit.events import CATALOGUE, Event, Fact, FactRefused, checked, instant
from portal.audit.models import Entry, Head, Outcome, TextSecret

MAX_TEXT = 20_000
SALT_BYTES = 32

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_TYPE = re.compile(r"[a-z][a-z_]{0,31}")


class NotInTransaction(RuntimeError):
    """An entry belongs into the transaction of its act; there is none."""


class Person(Protocol):
    """As much of a user as the log needs."""

    @property
    def pk(self) -> Any: ...
    @property
    def roles(self) -> Iterable[str]: ...


class Key(Protocol):
    """As much of an API key as the log needs."""

    @property
    def pk(self) -> Any: ...
    @property
    def owner_id(self) -> Any: ...


@dataclass(frozen=True)
class Actor:
    """Who did it, as things stood at that moment: an id and roles, never a name.

    An entry cannot be mended when a person marries, or is owed the deletion of their name; an id can stay.
    People are deactivated and never deleted, so the pages look the name up. The id of an API key or of a
    worker comes with the person on whose behalf it acts.
    """

    type: str
    id: str = ""
    roles: tuple[str, ...] = ()
    on_behalf_of: str = ""
    session: str = ""  # digest of the session key: tells one sitting from another
    auth: tuple[str, ...] = ()  # how they had signed in
    auth_age_s: int | None = None  # seconds since the newest proof

    @classmethod
    def user(cls, user: Person) -> Self:
        return cls(type="user", id=str(user.pk), roles=_sorted(user.roles))

    @classmethod
    def person(cls, request: HttpRequest) -> Self:
        """The signed-in person behind a request, or nobody."""
        user: Any = request.user
        if not user.is_authenticated:
            return cls(type="anonymous")
        proofs = get_authentication_records(request, user)
        times = [proof["at"] for proof in proofs if "at" in proof]
        return cls(
            type="user",
            id=str(user.pk),
            roles=_sorted(user.roles),
            session=_digest(request.session.session_key),
            auth=_sorted({str(proof["method"]) for proof in proofs if "method" in proof}),
            auth_age_s=max(0, int(time.time() - max(times))) if times else None,
        )

    @classmethod
    def api_key(cls, key: Key) -> Self:
        return cls(type="api_key", id=str(key.pk), on_behalf_of=str(key.owner_id))

    @classmethod
    def worker(cls, name: str, *, on_behalf_of: object = "") -> Self:
        """A worker acts because somebody approved: `on_behalf_of` is that person's id."""
        return cls(type="worker", id=name, on_behalf_of=str(on_behalf_of or ""))

    @classmethod
    def system(cls, name: str) -> Self:
        return cls(type="system", id=name)

    @classmethod
    def nobody(cls) -> Self:
        """Somebody who has not signed in."""
        return cls(type="anonymous")

    def as_said(self) -> dict[str, Any]:
        said = {
            "type": _checked(_TYPE, self.type),
            "id": _checked(_ID, self.id) if self.id else "",
            "roles": list(self.roles),
            "on_behalf_of": _checked(_ID, self.on_behalf_of) if self.on_behalf_of else "",
            "session": self.session,
            "auth": list(self.auth),
            "auth_age_s": self.auth_age_s,
        }
        return {
            name: value
            for name, value in said.items()
            if name in {"type", "id"} or value not in ("", [], None)
        }


@dataclass(frozen=True)
class Subject:
    """What it happened to: `Subject("draft", draft.pk)`."""

    type: str
    id: object

    def as_said(self) -> dict[str, Any]:
        return {"type": _checked(_TYPE, self.type), "id": _checked(_ID, str(self.id))}


def record(
    event: Event,
    *,
    actor: Actor,
    subject: Subject | None,
    corr: object = "",
    outcome: Outcome = Outcome.OK,
    texts: Mapping[str, str] | None = None,
    **facts: Fact,
) -> Entry:
    """Append one entry; call it last inside the act's `transaction.atomic()`.

    `corr` groups what belongs together: everything about a draft, its delivery included, carries the draft's
    id. `texts` holds words of people; the entry keeps a salted commitment to each, the words lie beside the
    log and can be forgotten. `facts` are the catalogue's for this event. Raises FactRefused, NotCanonical or
    NotInTransaction, and then nothing is written: an act that cannot be told must not happen.
    """
    if not transaction.get_connection().in_atomic_block:
        raise NotInTransaction(f"{event} is recorded outside a transaction")
    said = {
        "v": SCHEMA,
        "event": Event(event).value,
        "actor": actor.as_said(),
        "object": subject.as_said() if subject else None,
        "outcome": Outcome(outcome).value,
        "corr": _checked(_ID, str(corr)) if corr else "",
        "detail": checked(event, facts),
    }
    kept = [_sealed(event, name, text) for name, text in (texts or {}).items() if text]
    return _append(said, kept)


def record_denied(
    event: Event,
    *,
    actor: Actor,
    subject: Subject | None,
    corr: object = "",
    texts: Mapping[str, str] | None = None,
    **facts: Fact,
) -> Entry:
    """Tell of an act that was refused, in a transaction of its own: the act's has been rolled back.

    Call it after that block has ended; inside one it raises RuntimeError, as the entry would vanish with the
    act.
    """
    with transaction.atomic(durable=True):
        return record(
            event, actor=actor, subject=subject, corr=corr, outcome=Outcome.DENIED, texts=texts, **facts
        )


def _append(said: dict[str, Any], kept: list[TextSecret]) -> Entry:
    head = _locked_head()
    said |= {
        "log": head.origin,
        "seq": str(head.size),
        "ts": instant(timezone.now()),
        "prev": bytes(head.last_hash).hex(),
        "texts": {text.field: text.commitment for text in kept},
    }
    body = canonical(said)
    entry = Entry.objects.create(seq=head.size, body=body, leaf=leaf_hash(body))
    for text in kept:
        text.seq = entry.seq
    TextSecret.objects.bulk_create(kept)
    head.size, head.last_hash = entry.seq + 1, entry_hash(body)
    head.save(update_fields=["size", "last_hash"])
    return entry


def _locked_head() -> Head:
    """The head row, held until the transaction ends. (SQLite holds the whole file: IMMEDIATE.)"""
    head = Head.objects.select_for_update().first()
    if head is None:
        # The very first entry fixes the log's name. Two may try; the database lets one in, refuses the other.
        with suppress(DatabaseError), transaction.atomic():
            Head.objects.create(origin=settings.AUDIT_ORIGIN)
        head = Head.objects.select_for_update().get()
    return head


def _sealed(event: Event, name: str, text: str) -> TextSecret:
    if name not in CATALOGUE[event].texts:
        raise FactRefused(f"{event} has no text called {name}; add it to the catalogue")
    if len(text) > MAX_TEXT:
        raise FactRefused(f"{event}: the text {name} is longer than {MAX_TEXT} characters")
    # PostgreSQL keeps neither NUL nor half a surrogate pair.
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return TextSecret(field=name, salt=secrets.token_bytes(SALT_BYTES), value=clean)


def _checked(shape: re.Pattern[str], value: str) -> str:
    if not shape.fullmatch(value):
        raise FactRefused(f"{value[:80]!r} is not an id the log can keep: {shape.pattern}")
    return value


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(str(name) for name in names))


def _digest(session_key: str | None) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()[:16] if session_key else ""
