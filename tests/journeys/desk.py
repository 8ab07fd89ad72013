"""A person at a real browser of their own, and what remains as evidence when a journey fails."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from portal.stack.place import Person
from tests import browser as browsers
from tests.browser import View
from tests.stacks import Stack


@dataclass
class Desk:
    """Who sits there, and the page they look at."""

    person: Person
    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Blocked styles and scripts are errors on the console, as are scripts that fail."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, said: ConsoleMessage) -> None:
        refused = "the server responded with a status of 4" in said.text
        if said.type == "error" and not (refused and said.location["url"] == self.page.url):
            self.complaints.append(f"{said.text} ({said.location['url']})")


class Office:
    """The desks of one journey."""

    def __init__(
        self,
        chromium: Browser,
        stack: Stack,
        sessions: dict[str, Any],
        *,
        patience: int,
        view: View | None = None,
    ) -> None:
        self._chromium = chromium
        self._stack = stack
        self._sessions = sessions
        self._patience = patience
        self._view = view or View()
        self._desks: dict[str, Desk] = {}

    def desk(self, name: str) -> Desk:
        """This person's desk. They are signed in, and see the page that signing in leads to."""
        if name not in self._desks:
            self._desks[name] = self._sit_down(name)
        return self._desks[name]

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
        person, known = self._stack.person(name), self._sessions.get(name)
        context = self._context(known)
        desk = Desk(person, context.new_page())
        desk.listen()
        if known is None:
            browsers.sign_in(desk.page, person.email, password=person.password)
            self._sessions[name] = context.storage_state()
        else:
            desk.page.goto("/")
        return desk

    def _context(self, session: Any) -> BrowserContext:
        context = self._chromium.new_context(
            base_url=self._stack.site,
            color_scheme=self._view.scheme,
            reduced_motion="reduce",
            viewport={"width": self._view.width, "height": self._view.height},
            storage_state=session,
        )
        context.set_default_timeout(self._patience)
        context.tracing.start()
        return context
