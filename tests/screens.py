"""Look at pages: screenshots at two widths in both colour schemes, and what the browser holds against them.

    python -m tests.screens --as dana /people/ /keys/                 a server of its own, with the cast
    python -m tests.screens --as alice --seed tests.reviews.seed:drafts /        ... and data of yours
    python -m tests.screens --as alice@firm.example --server http://127.0.0.1:8000 /   one that runs already

Pictures go to test-results/screens. Printed are sideways scrolling, console errors (a strict CSP shows there)
and what axe finds; the exit status is 1 when there was any. `--password` and `--widths` do what they say.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django

import tests.environment  # noqa: F401 - settings are read from the environment, so it comes first

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import View

NAMES = ("alice", "bob", "carol", "dana", "erin", "mallory")


def main(words: list[str]) -> int:
    asked = _arguments().parse_args(words)
    asked.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    if asked.server:
        return _shoot(asked, asked.server)
    with own_server(asked.seed) as address:
        return _shoot(asked, address)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.screens", description="Look at pages.")
    parser.add_argument("paths", nargs="+", help="paths of pages, such as /people/")
    parser.add_argument("--as", dest="who", help="one of the cast, or an e-mail; signed out without it")
    parser.add_argument("--password")
    parser.add_argument("--seed", action="append", default=[], help="module:function to call before looking")
    parser.add_argument("--server", help="address of a running portal")
    parser.add_argument("--widths", default="1280,390")
    parser.add_argument("--out", type=Path, default=Path("test-results/screens"))
    return parser


@contextmanager
def own_server(seeds: list[str]) -> Iterator[str]:
    """The portal in a thread, on an empty database with the cast in it."""
    logging.getLogger("django.request").setLevel(logging.ERROR)
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.management import call_command
    from django.test.testcases import LiveServerThread

    from tests.cast import Cast

    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    cast = Cast()
    for name in NAMES:
        getattr(cast, name)
    for seed in seeds:
        module, _, function = seed.partition(":")
        getattr(importlib.import_module(module), function)()
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.start()
    thread.is_ready.wait()
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()


def _shoot(asked: argparse.Namespace, address: str) -> int:
    from tests.browser import VIEWS, View, browser, looking, sign_in
    from tests.cast import PASSWORD

    views = [View(int(width), view.scheme) for width in asked.widths.split(",") for view in VIEWS[:2]]
    faults = 0
    with browser() as chromium:
        for view in views:
            with looking(chromium, view, base_url=address) as page:
                if asked.who:
                    email = asked.who if "@" in asked.who else f"{asked.who}@firm.example"
                    sign_in(page, email, password=asked.password or PASSWORD)
                for path in asked.paths:
                    faults += _look(page, path, view, asked.out)
    return 1 if faults else 0


def _look(page: Page, path: str, view: View, folder: Path) -> int:
    from tests.browser import accessibility_faults, sideways_scroll

    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    answer = page.goto(path)
    if answer and answer.status >= 400:  # the browser complains about the page that was asked for
        said.pop(0)
    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "start"
    file = folder / f"{name}-{view}.png"
    page.screenshot(path=str(file), full_page=True)
    faults = [*accessibility_faults(page), *(f"console: {line}" for line in said)]
    if wider := sideways_scroll(page):
        faults.append(f"{wider} px wider than the window")
    print(f"{file}  {page.title()}", *faults, sep="\n    ")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
