"""From an empty portal to a document in Clio, with each person at a browser of their own."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys import acts
from tests.journeys.acts import File
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk
from tests.stacks import Stack

CONNECTED = re.compile("Connected to Harrow & Quill LLP|Harrow & Quill LLP is connected again")
STORY = [
    "draft.submitted",
    "draft.opened",
    "delivery.enqueued",
    "draft.approved",
    "delivery.reserve_started",
    "delivery.reserved",
    "delivery.transferred",
    "delivery.confirm_started",
    "delivery.filed",
    "delivery.outcome_told",
]


def test_a_draft_is_submitted_approved_and_filed_as_it_was_seen(
    stack: Stack, desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, file = "Engagement letter, the main job", File.letter("main job")
    dana, carol, alice, erin = desk("dana"), desk("carol"), desk("alice"), desk("erin")

    acts.connect(dana, stack.place)
    expect(dana.page.get_by_text(CONNECTED)).to_be_visible()
    draft = acts.submit(carol, file, title=title, drag=True)
    expect(acts.status(carol)).to_have_text("Waiting")
    expect(carol.page.get_by_role("region", name="What will happen")).to_contain_text(acts.FOLDER_AT_CLIO)

    acts.find(alice, title)
    letter = alice.page.frame_locator("iframe.paper-frame")
    expect(letter.get_by_text("Mutual wills: the terms on which we act")).to_be_visible()
    shown = alice.page.get_by_role("main").locator(".hash code").first.get_attribute("title")
    acts.approve(alice)
    alice.page.evaluate("window.notReloaded = true")
    expect(acts.status(alice)).to_have_text("Filed")
    assert alice.page.evaluate("window.notReloaded")

    alice.page.get_by_role("link", name="Open the receipt").click()
    hashes = [_told(alice, f"SHA-256 {stage}") for stage in ("seen", "approved", "sent")]
    document = clio.only_document(file.name)
    assert document["folder"] == acts.FOLDER_AT_CLIO
    assert {shown, *hashes, clio.content(document)} == {file.sha256}
    assert clio.calls_about(document["id"]) == ["documents.create", "documents.update"]

    with alice.page.expect_popup() as opened:
        alice.page.get_by_role("link", name="Open in Clio").click()
    expect(opened.value.get_by_role("heading", name=file.name)).to_be_visible()
    expect(opened.value.get_by_text(file.sha256)).to_be_visible()

    carol.page.goto(draft)
    expect(acts.status(carol)).to_have_text("Filed")

    assert acts.story(erin, draft)[: len(STORY)] == STORY
    erin.page.get_by_role("button", name="Check the log").click()
    expect(erin.page.get_by_text("VALID", exact=True)).to_be_visible()
    checked = stack.manage("audit_verify")
    assert checked.returncode == 0, checked
    assert "VALID" in checked.stdout


def _told(alice: Desk, label: str) -> str | None:
    """What the receipt says under this label."""
    said = alice.page.get_by_text(label, exact=True)
    return said.locator("xpath=following-sibling::dd[1]").locator("code").text_content()
