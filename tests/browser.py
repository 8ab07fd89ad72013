"""A real browser for tests and screenshots: Debian's Chromium, told to keep to itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.cast import PASSWORD
from tests.services import chromium

Scheme = Literal["light", "dark"]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A sandboxed frame in a process of its own takes clicks that follow a scroll too closely for any hand.
    "--disable-site-isolation-trials",
]
WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],  # what passes is many times more, and nobody asks
}


@dataclass(frozen=True)
class View:
    """How a page is looked at. Heights are for the window; screenshots show the whole page."""

    width: int = 1280
    scheme: Scheme = "light"

    @property
    def height(self) -> int:
        return 844 if self.width < 600 else 900

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


VIEWS = [View(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield launched
        finally:
            launched.close()


@contextmanager
def looking(on: Browser, view: View, *, base_url: str) -> Iterator[Page]:
    """A page in a fresh profile."""
    size = {"width": view.width, "height": view.height}
    context: BrowserContext = on.new_context(
        base_url=base_url,
        color_scheme=view.scheme,
        reduced_motion="reduce",
        viewport=size,  # type: ignore[arg-type]
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def sign_in(page: Page, email: str, *, password: str = PASSWORD) -> None:
    page.goto("/account/login/")
    page.fill("#id_login", email)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/account/login" not in url)


def accessibility_faults(page: Page, *, within: str = "html", rules: Sequence[str] = ()) -> list[str]:
    """What axe holds against the page, or a part of it: rule, and the first thing it points at.

    `rules` asks for these alone.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    asked = {**WCAG, "runOnly": list(rules)} if rules else WCAG
    found = page.evaluate(
        "async ([within, asked]) => (await axe.run(within, asked)).violations", [within, asked]
    )
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:160]}" for fault in found]


def sideways_scroll(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(0, int(wider))
