"""What the demo's people do at their browsers, each a page or two: connect, make a key, countersign."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.demo.browser import Browser, Page, Unexpected
from portal.demo.program import Program
from portal.stack.place import Place

KEY = re.compile(r"\bcsk_[\w-]{20,}")


@dataclass(frozen=True)
class Seen:
    """What stood in the form that a reviewer sent to approve."""

    draft_id: str
    sha256: str


def begin(place: Place) -> Program:
    """Dana, an admin, connects the sandbox and makes a key for carol's drafting program."""
    with at_browser(place, "dana") as dana:
        connect_sandbox(dana, place)
        return Program(place.site, make_key(dana, name="Drafting program", owner=place.person("carol").name))


def at_browser(place: Place, name: str) -> Browser:
    """One of the demo people, signed in."""
    person = place.person(name)
    browser = Browser(place.site)
    browser.sign_in(person.email, person.password)
    return browser


def connect_sandbox(dana: Browser, place: Place) -> None:
    """Through the pages a person meets: choose the region, agree at Clio, come back."""
    page = dana.open("/clio/connect/")
    consent = dana.submit(page, page.form("region", "sandbox"), {"region": "sandbox"})
    if not consent.address.startswith(place.sandbox):
        raise Unexpected(f"connecting led to {consent.address}, not to Clio: {consent.words()[:600]}")
    back = dana.submit(consent, consent.form("decision", "allow"), {"decision": "allow"})
    if not back.address.startswith(place.site) or back.status != 200:
        raise Unexpected(f"after agreeing at Clio: {back.address} ({back.status}): {back.words()[:600]}")


def make_key(dana: Browser, *, name: str, owner: str) -> str:
    """A key for the drafting program, owned by a submitter. The page shows it once."""
    page = dana.open("/keys/add/")
    shown = dana.submit(page, page.form("owner"), {"name": name, "owner": _choice_of(page, owner)})
    found = KEY.search(shown.text)
    if found is None:
        raise Unexpected(f"{shown.address} shows no new key: {shown.words()[:600]}")
    return found.group(0)


def approve(alice: Browser, draft_id: str) -> Seen:
    """Open the review screen, look at the document, tick every statement, approve."""
    page = alice.open(f"/drafts/{draft_id}/")
    form = page.form_to("/approve/")
    sent = form.filled({})
    after = alice.submit(page, form, {"agreed": form.choices["agreed"]})
    if after.status != 200 or f"/drafts/{draft_id}/" not in after.address:
        raise Unexpected(f"approving ended at {after.address} ({after.status}): {after.words()[:600]}")
    return Seen(draft_id, str(sent["sha256"]))


def _choice_of(page: Page, person: str) -> str:
    """The value of the option whose text names this person."""
    found = re.search(rf'<option value="(\d+)"[^>]*>[^<]*{re.escape(person)}', page.text)
    if found is None:
        raise Unexpected(f"{page.address} does not offer {person} as owner: {page.words()[:600]}")
    return found.group(1)
