from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import accessibility_faults
from tests.journeys import acts
from tests.journeys.acts import File
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk

pytestmark = pytest.mark.usefixtures("connected")


def test_a_review_that_was_taken_over_cannot_be_finished_by_the_first_reviewer(
    desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, file = "Engagement letter, two reviewers", File.letter("two reviewers")
    carol, alice, bob = desk("carol"), desk("alice"), desk("bob")
    acts.submit(carol, file, title=title)
    before = clio.last_call()

    acts.find(alice, title)
    alice.page.get_by_role("button", name="Start review").click()
    expect(acts.status(alice)).to_have_text("In review")
    expect(alice.page.get_by_text("Next: Alice Marchetti")).to_be_visible()

    acts.find(bob, title)
    expect(bob.page.get_by_text("Alice Marchetti is reviewing this since")).to_be_visible()
    expect(bob.page.get_by_role("button", name="Approve…")).to_have_count(0)
    bob.page.get_by_role("button", name="Take over the review").click()
    expect(bob.page.get_by_text("Next: Bob Adeyemi")).to_be_visible()

    with alice.page.expect_response("**/approve/") as answer:
        acts.tick_and_approve(alice)
    assert answer.value.status == 403
    expect(alice.page.get_by_text("Not done.")).to_be_visible()
    expect(alice.page.get_by_text("Bob Adeyemi is reviewing this draft. Take it over first.")).to_be_visible()
    assert clio.document_calls(since=before) == []


def test_a_version_that_arrives_under_an_open_dialog_is_not_approved_unseen(
    desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, first = "Engagement letter, overtaken", File.letter("overtaken")
    second = File.letter("overtaken", instead=("Our fee for the work", "Our fee of $4,200 for the work"))
    carol, alice = desk("carol"), desk("alice")
    draft = acts.submit(carol, first, title=title)
    before = clio.last_call()
    acts.find(alice, title)
    dialog = acts.open_dialog(alice, "Approve…")
    acts.add_version(carol, second, note="Names the fee.")

    with alice.page.expect_response("**/approve/") as answer:
        acts.agree(dialog)
    assert answer.value.status == 409
    expect(alice.page.get_by_text("Not done.")).to_be_visible()
    assert accessibility_faults(alice.page) == []
    alice.page.get_by_role("link", name="Show what changed").click()
    expect(alice.page.locator("ins").filter(has_text="of $4,200")).to_be_visible()

    alice.page.goto(draft)
    expect(acts.status(alice)).to_have_text("Waiting")
    assert clio.document_calls(since=before) == []
