"""Every address of the site, with a firm behind it that has something to hide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from clio_sync.models import Connection
from portal.accounts.models import ApiKey
from reviews.models import Draft
from tests import factories
from tests.cast import Cast

HIDDEN = ("Okafor", "Brandt", "settlement-offer", "drafting tool", "@firm.example", "Alice")
"""What a stranger must not read: of the draft, its matter, the connection, the key, the people."""


@dataclass(frozen=True)
class Firm:
    """One of everything an address can name."""

    draft: Draft
    connection: Connection
    key: ApiKey
    cast: Cast

    def arguments(self) -> dict[str, Any]:
        return {
            "draft_id": self.draft.pk,
            "number": 1,
            "page": 1,
            "older": 1,
            "newer": 2,
            "connection_id": self.connection.pk,
            "key_id": self.key.pk,
            "user_id": self.cast.alice.pk,
            "seq": 0,
            "uidb36": "1",
            "key": "set-password",
        }


def firm(cast: Cast) -> Firm:
    """A waiting draft in two versions, a connection, a key, and somebody in every role."""
    assert cast.alice and cast.bob and cast.erin
    link = factories.connection(connected_by=cast.dana, is_default=True)
    key, _ = ApiKey.issue(name="drafting tool", owner=cast.carol, by=cast.dana)
    place = factories.destination(link, file_name="settlement-offer.txt", client_name="Okafor Holdings")
    draft = factories.draft(submitter=cast.carol, place=place, status="waiting", api_key=key)
    factories.version(draft, content=b"Other words.\n", made_by=cast.carol)
    return Firm(draft, link, key, cast)


def names() -> list[str]:
    """Every route by its name, with its namespace. A route without a name cannot be looked after."""
    return sorted(name for name, _ in _walk(get_resolver().url_patterns, ""))


def path(name: str, firm: Firm) -> str:
    wanted = dict(_walk(get_resolver().url_patterns, ""))[name].pattern.converters
    known = firm.arguments()
    if not wanted and name == "account_reset_password_from_key":
        wanted = {"uidb36": None, "key": None}  # its address is a regular expression
    return reverse(name, kwargs={argument: known[argument] for argument in wanted})


def _walk(patterns: list[Any], namespace: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, inner)
        else:
            assert pattern.name, f"{pattern.pattern} has no name"
            yield f"{namespace}{pattern.name}", pattern
