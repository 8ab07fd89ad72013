"""A person at a real browser of their own, and what remains as evidence when a journey fails."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from tests import browser as browsers
from tests.browser import View
from tests.stacks import Stack

WINDOW = View()


@dataclass
class Desk:
    """The page somebody looks at, and what their browser says about it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, context: BrowserContext) -> Self:
        """Blocked styles and scripts are errors on the console, as are scripts that fail."""
        desk = cls(context.new_page())
        desk.page.on("console", desk._hear)
        desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        return desk

    def _hear(self, said: ConsoleMessage) -> None:
        refused = "the server responded with a status of 4" in said.text
        if said.type == "error" and not (refused and said.location["url"] == self.page.url):
            self.complaints.append(f"{said.text} ({said.location['url']})")


class Office:
    """The desks of one journey."""

    def __init__(self, chromium: Browser, stack: Stack, sessions: dict[str, Any], *, patience: int) -> None:
        self._chromium = chromium
        self._stack = stack
        self._sessions = sessions
        self._patience = patience
        self._desks: dict[str, Desk] = {}

    def desk(self, name: str) -> Desk:
        """This person's desk. They are signed in, and see the page that signing in leads to."""
        if name not in self._desks:
            self._desks[name] = self._sit_down(name)
        return self._desks[name]

    def visitor(self) -> Desk:
        """The desk of somebody who has not signed in."""
        return self._desks.setdefault("visitor", Desk.at(self._context(None)))

    def complaints(self) -> list[str]:
        return [f"{name}: {said}" for name, desk in self._desks.items() for said in desk.complaints]

    def close(self, *, keep: Path | None) -> None:
        """End the sessions; keep what they saw last, and the trace of how they came there, in a folder."""
        for name, desk in self._desks.items():
            context = desk.page.context
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                with suppress(Error):
                    desk.page.screenshot(path=str(keep / f"{name}.png"), full_page=True)
                    (keep / f"{name}.html").write_text(desk.page.content(), encoding="utf-8")
            context.tracing.stop(**({"path": str(keep / f"{name}.zip")} if keep else {}))
            context.close()

    def _sit_down(self, name: str) -> Desk:
        known = self._sessions.get(name)
        desk = Desk.at(self._context(known))
        if known is None:
            person = self._stack.person(name)
            browsers.sign_in(desk.page, person.email, password=person.password)
            self._sessions[name] = desk.page.context.storage_state()
        else:
            desk.page.goto("/")
        return desk

    def _context(self, session: Any) -> BrowserContext:
        context = self._chromium.new_context(
            base_url=self._stack.site,
            reduced_motion="reduce",
            viewport={"width": WINDOW.width, "height": WINDOW.height},
            storage_state=session,
        )
        context.set_default_timeout(self._patience)
        context.tracing.start()
        return context
