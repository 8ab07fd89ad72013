from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys import acts
from tests.journeys.acts import File
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk
from tests.stacks import Stack


@pytest.mark.usefixtures("connected")
def test_an_undone_approval_leaves_no_trace_in_clio(
    stack: Stack, desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, file = "Engagement letter, approved too soon", File.letter("undone")
    carol, alice = desk("carol"), desk("alice")
    draft = acts.submit(carol, file, title=title)
    acts.find(alice, title)
    before = clio.last_call()

    acts.approve(alice)
    over = time.monotonic() + float(stack.environment["UNDO_SECONDS"])
    alice.page.get_by_role("button", name="Undo approval").click()
    expect(alice.page.get_by_text("Approval undone. Nothing was sent to Clio.")).to_be_visible()
    expect(acts.status(alice)).to_have_text("In review")

    time.sleep(max(0.0, over - time.monotonic()) + 2 * float(stack.environment["SWEEP_SECONDS"]))
    assert clio.document_calls(since=before) == []
    assert clio.documents(file.name) == []
    alice.page.goto(draft)
    expect(acts.status(alice)).to_have_text("In review")
    expect(alice.page.get_by_role("button", name="Approve…")).to_be_visible()
