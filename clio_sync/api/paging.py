"""Lists that come in pages.

Clio's cursor paging: order by id, no offset, and follow `meta.paging.next` as it stands; the last page has
none (docs.developers.clio.com/api-docs/paging/). The link is an address from outside, so it is followed only
to the very list it was found in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import httpx

from clio_sync.api.errors import ClioSurprised
from clio_sync.api.outbound import same_origin
from clio_sync.api.reading import Fields

T = TypeVar("T")

MOST_PAGES: Final = 1000
"""At 200 records a page, more than any list the portal reads: a longer one is a loop."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    records: int | None = None
    """How many match in all, where Clio says so."""
    next_url: str | None = field(default=None, repr=False)


class Listing(Generic[T]):
    """A list at Clio, read as far as it is iterated: each page is one call to the API."""

    def __init__(self, first: str, fetch: Callable[[str], Page[T]]) -> None:
        self._first = first
        self._fetch = fetch

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[T]]:
        address: str | None = self._first
        for _ in range(MOST_PAGES):
            if address is None:
                return
            page = self._fetch(address)
            yield page
            address = page.next_url
        raise ClioSurprised("meta.paging.next", "never comes to an end")

    def first_page(self) -> Page[T]:
        """The first page alone: one call, whatever the length of the list."""
        return self._fetch(self._first)


def read_page(asked: str, read: Callable[[Fields], T]) -> Callable[[Fields], Page[T]]:
    """Parse the answer to `asked`. A `next` that leads anywhere but on in the same list is a surprise."""

    def parse(body: Fields) -> Page[T]:
        if not body.has("data"):
            body.surprise("data", "is missing")
        meta = body.maybe_child("meta")
        paging = meta.maybe_child("paging") if meta else None
        return Page(
            items=body.children("data", read),
            records=meta.maybe_number("records") if meta else None,
            next_url=_next(asked, paging) if paging else None,
        )

    return parse


def _next(asked: str, paging: Fields) -> str | None:
    address = paging.maybe_text("next")
    if not address:
        return None
    if not _continues(asked, address):
        paging.surprise("next", "does not lead further into the same list")
    return address


def _continues(asked: str, address: str) -> bool:
    try:
        here, there = httpx.URL(asked), httpx.URL(address)
    except httpx.InvalidURL:
        return False
    same_list = here.path.removesuffix(".json") == there.path.removesuffix(".json")
    return same_origin(here, there) and same_list and not there.userinfo and here != there
