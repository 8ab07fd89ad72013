from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import accessibility_faults
from tests.journeys import acts
from tests.journeys.acts import File
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk
from tests.stacks import Stack


def test_declining_at_clio_connects_nothing(stack: Stack, desk: Callable[[str], Desk]) -> None:
    dana = desk("dana")
    before = acts.connections(dana)
    acts.connect(dana, stack.place, decision="Decline")
    expect(dana.page.get_by_role("heading", name="You declined at Clio")).to_be_visible()
    expect(dana.page.get_by_text("Nothing was connected or changed.")).to_be_visible()
    dana.page.get_by_role("link", name="Back to connections").click()
    assert acts.connections(dana) == before


@pytest.mark.usefixtures("connected")
def test_a_filing_whose_connection_is_revoked_goes_on_once_it_is_reconnected(
    stack: Stack, desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, file = "Engagement letter, connection revoked", File.letter("revoked")
    carol, alice, dana = desk("carol"), desk("alice"), desk("dana")
    acts.submit(carol, file, title=title)
    acts.find(alice, title)

    clio.go_wrong("storage.put", "delay", seconds=5)
    acts.approve(alice)
    clio.wait_for_reservation(file.name)
    clio.act("revoke_grant")
    expect(acts.status(alice)).to_have_text("Needs you Clio connection")
    expect(alice.page.get_by_text("An admin has to reconnect it")).to_be_visible()
    assert not clio.documents(file.name)[0]["visible"]

    dana.page.goto("/people/")
    banner = dana.page.get_by_role("alert").filter(has_text="needs reconnecting")
    expect(banner).to_be_visible()
    assert accessibility_faults(dana.page) == []
    banner.get_by_role("link", name="Look at the connection").click()
    expect(dana.page.get_by_text("1 delivery waits for it")).to_be_visible()
    acts.reconnect(dana, stack.place)
    expect(dana.page.get_by_text("Harrow & Quill LLP is connected again.")).to_be_visible()
    dana.page.goto("/people/")
    expect(banner).to_have_count(0)

    expect(acts.status(alice)).to_have_text("Filed")
    assert clio.content(clio.only_document(file.name)) == file.sha256
