"""Drafts in every state that stands still, made by people at plain browsers, for a tour to see."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from portal.demo import examples, people
from portal.demo.browser import Browser, Page
from portal.demo.examples import Example
from portal.demo.program import Program
from tests.journeys.clio import Clio
from tests.stacks import Stack, wait_until

STRANGER = "mallory@harrowquill.example"
PASSWORD = "a password of her own, chosen now"
BOB_AT_CLIO = "350772"
CLOSED = {"error": {"type": "UnprocessableEntity", "message": "The matter is closed."}}
LINK = re.compile(r"https?://[^\s\"<]+/password/reset/key/[^\s\"<]+")
REASON = {"reason_code": "incomplete", "reason": "Please name the fee, with tax."}


@dataclass
class Population:
    """The drafts by their state, and a link for somebody who has no password yet."""

    drafts: dict[str, str] = field(default_factory=dict)
    link: str = ""

    @property
    def ids(self) -> set[str]:
        return set(self.drafts.values())


def populate(stack: Stack, clio: Clio, dana: Browser) -> Population:
    made = Population()
    letter, memo, *others = examples.load()
    program = Program(
        stack.site, people.make_key(dana, name="Touring program", owner=stack.person("carol").name)
    )
    for state in ("filed", "in review", "new version", "returned", "rejected", "withdrawn"):
        made.drafts[state] = program.submit_twice(letter)
    made.drafts["stuck"] = program.submit_twice(memo)
    kinds = _by_type(others)
    for kind in ("pdf", "txt"):
        made.drafts[f"waiting {kind}"] = program.submit_twice(kinds[kind])
    with people.at_browser(stack.place, "alice") as alice:
        clio.go_wrong("documents.create", "status", status=422, body=CLOSED, contains=memo.name)
        people.approve(alice, made.drafts["stuck"])
        people.approve(alice, made.drafts["filed"])
        _press(alice, made.drafts["in review"], "claim")
        _press(alice, made.drafts["new version"], "return", REASON | {"dialog": "return"})
        _press(alice, made.drafts["returned"], "return", REASON | {"dialog": "return"})
        _press(alice, made.drafts["rejected"], "reject", REASON | {"dialog": "reject"})
    with people.at_browser(stack.place, "carol") as carol:
        _add_version(carol, made.drafts["new version"], letter)
        _press(carol, made.drafts["withdrawn"], "withdraw")
    with people.at_browser(stack.place, "bob") as bob:
        _connect_own(bob)
    made.link = _add_stranger(dana)
    _wait(program, made.drafts["filed"], "filed")
    _wait(program, made.drafts["stuck"], "needs_you")
    return made


def _by_type(found: list[Example]) -> dict[str, Example]:
    """One for each ending of a file's name."""
    return {example.name.rpartition(".")[2]: example for example in found}


def _wait(program: Program, draft: str, state: str) -> None:
    wait_until(lambda: program.outcome(draft).state == state, what=f"a draft to be {state}", within=60)


def _press(browser: Browser, draft: str, act: str, values: dict[str, str] | None = None) -> None:
    page = browser.open(f"/drafts/{draft}/")
    _went_well(browser.submit(page, page.form_to(f"/{act}/"), values))


def _add_version(carol: Browser, draft: str, letter: Example) -> None:
    page = carol.open(f"/drafts/{draft}/")
    changed = b"# Engagement letter\n\nOur fee is $4,200, with tax."
    files = {"file": (f"{letter.name}.md", changed, "text/markdown")}
    _went_well(carol.submit(page, page.form_to("/versions/"), {"note": "Names the fee."}, files=files))


def _connect_own(bob: Browser) -> None:
    page = bob.open("/clio/mine/connect/")
    consent = bob.submit(page, page.form("region", "sandbox"), {"region": "sandbox"})
    allowed = {"user_id": BOB_AT_CLIO, "decision": "allow"}
    _went_well(bob.submit(consent, consent.form("decision", "allow"), allowed))


def _add_stranger(dana: Browser) -> str:
    """Mallory may sign in and nothing else. Without a mail server the page shows the link."""
    page = dana.open("/people/add/")
    told = {"email": STRANGER, "full_name": "Mallory Stranger"}
    shown = dana.submit(page, page.form("full_name"), told)
    _went_well(shown)
    found = LINK.search(shown.text)
    assert found, shown.words()
    return found.group(0)


def _went_well(page: Page) -> None:
    assert page.status == 200, f"{page.address} ({page.status}): {page.words()[:600]}"
