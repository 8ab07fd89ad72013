"""What the demo's people do at their browsers, each a page or two: connect, make a key, countersign."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.demo.browser import Browser, Page, Unexpected
from portal.stack.place import Place

KEY = re.compile(r"\bcsk_[\w-]{20,}")


@dataclass(frozen=True)
class Seen:
    """What stood in the form that a reviewer sent to approve."""

    draft_id: str
    sha256: str


def connect_sandbox(dana: Browser, place: Place) -> None:
    """Through the pages a person meets: choose the region, agree at Clio, come back."""
    page = dana.open("/clio/")
    if place.sandbox in page.text:
        raise Unexpected(f"{page.address} names the sandbox's address to its reader")
    consent = dana.submit(page, page.form("region", "sandbox"), {"region": "sandbox"})
    if not consent.address.startswith(place.sandbox):
        raise Unexpected(f"connecting led to {consent.address}, not to Clio: {consent.words()[:600]}")
    back = dana.submit(consent, consent.form("decision", "allow"), {"decision": "allow"})
    if not back.address.startswith(place.site) or back.status != 200:
        raise Unexpected(f"after agreeing at Clio: {back.address} ({back.status}): {back.words()[:600]}")


def make_key(dana: Browser, *, name: str, owner: str) -> str:
    """A key for the drafting program, owned by a submitter. The page shows it once."""
    page = dana.open("/people/keys/")
    form = page.form("name", action="keys")
    shown = dana.submit(page, form, {"name": name, "owner": _choice_of(page, owner)})
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
