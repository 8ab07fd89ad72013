"""Walking from page to page by the links on them, and looking hard at each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Locator, Page, expect

from tests.browser import Scheme, View, accessibility_faults, sideways_scroll

WIDE, NARROW = 1280, 390
LOOKS: dict[int, tuple[tuple[Scheme, tuple[str, ...]], ...]] = {
    WIDE: (("light", ()), ("dark", ("color-contrast",))),
    NARROW: (
        (
            "light",
            ("color-contrast", "target-size", "scrollable-region-focusable", "link-name", "button-name"),
        ),
    ),
}
"""What axe is asked at each width. By night a page differs by its colours alone, on a phone by its layout."""
TWICE = """() => {
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
}"""
LINKS = """() => [...document.querySelectorAll("a[href]")]
    .filter((link) => link.origin === location.origin).map((link) => link.href.split("#")[0])"""

Kind = tuple[str, ...]
"""What makes two addresses different enough to look at both."""


@dataclass
class Walk:
    """One person's way through the pages. `kind_of` says which addresses are alike; () is not gone to."""

    page: Page
    kind_of: Callable[[str], Kind]
    names: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    _seen: set[Kind] = field(default_factory=set)
    _opened: set[tuple[str, str, int]] = field(default_factory=set)

    def go(self, start: Iterable[str]) -> None:
        """Everywhere that links lead to from these addresses."""
        waiting = list(start)
        while waiting:
            address = waiting.pop(0)
            kind = self.kind_of(address)
            if not kind or kind in self._seen:
                continue
            self._seen.add(kind)
            self._visit(address)
            waiting += self.page.evaluate(LINKS)

    def look(self, what: str = "") -> None:
        """What can be held against the page that is open, wide and narrow, by day and by night."""
        for width in LOOKS:
            self._resize(width)
            self._judge(width, what=what)

    def _visit(self, address: str) -> None:
        answer = self.page.goto(address)
        assert answer is not None
        expected = 404 if name_of(address) == "" else 200
        if answer.status != expected:
            self.faults.append(f"{address}: answered {answer.status}")
        self.names.add(name_of(self.page.url))
        for width in LOOKS:
            self._resize(width)
            self._judge(width)
            for opener, inside in self._drawers(width):
                opener.click()
                expect(self.page.locator(inside)).to_be_visible()
                self._judge(width, inside)
                self.page.keyboard.press("Escape")

    def _resize(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": View(width).height})

    def _judge(self, width: int, part: str = "html", *, what: str = "") -> None:
        where = f"{urlsplit(self.page.url).path} {part} {what}".strip()
        for scheme, rules in LOOKS[width]:
            self.page.emulate_media(color_scheme=scheme)
            found = accessibility_faults(self.page, within=part, rules=rules)
            self.faults += [f"{where} ({scheme}): {fault}" for fault in found]
        if wider := sideways_scroll(self.page):
            self.faults.append(f"{where}: {wider} px wider than the window")
        self.faults += [f"{where}: more than one #{found}" for found in self.page.evaluate(TWICE)]

    def _drawers(self, width: int) -> Iterator[tuple[Locator, str]]:
        """Dialogs and menus that open on the page, each once for each sort of page and each width."""
        for opener in self.page.locator("[data-opens], [popovertarget]").all():
            target = opener.get_attribute("popovertarget")
            inside = f"#{target}" if target else str(opener.get_attribute("href"))
            sort = ("" if target else name_of(self.page.url), inside, width)
            if sort not in self._opened and opener.is_visible():
                self._opened.add(sort)
                yield opener, inside


def name_of(address: str) -> str:
    """The name that the site has for the page at an address; empty when there is none."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)
