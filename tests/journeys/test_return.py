from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys import acts
from tests.journeys.acts import File
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk

REASON = "The fee is missing. Please name it, with tax."


@pytest.mark.usefixtures("connected")
def test_a_returned_draft_comes_back_as_a_new_version_and_that_one_is_filed(
    desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, first = "Engagement letter, returned once", File.letter("returned")
    second = File.letter("returned", instead=("Our fee for the work", "Our fee of $4,200 for the work"))
    carol, alice = desk("carol"), desk("alice")
    draft = acts.submit(carol, first, title=title)

    acts.find(alice, title)
    acts.return_for_changes(alice, REASON)
    expect(acts.status(alice)).to_have_text("Returned")

    acts.find(carol, title, tab="Returned")
    expect(carol.page.get_by_text(REASON)).to_be_visible()
    acts.add_version(carol, second, note="Names the fee.")
    expect(acts.status(carol)).to_have_text("In review")
    expect(carol.page.get_by_text("Next: Alice Marchetti")).to_be_visible()

    acts.find(alice, title, tab="My reviews")
    alice.page.get_by_role("link", name="What changed since version 1").click()
    expect(alice.page.locator("ins").filter(has_text="of $4,200")).to_be_visible()
    alice.page.goto(draft)
    acts.approve(alice)
    expect(acts.status(alice)).to_have_text("Filed")

    document = clio.only_document(first.name)
    assert clio.content(document) == second.sha256 != first.sha256
    assert len(document["versions"]) == 1
    assert clio.calls_about(document["id"]) == ["documents.create", "documents.update"]
