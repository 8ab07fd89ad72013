from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys import acts
from tests.journeys.acts import File
from tests.journeys.clio import Clio
from tests.journeys.desk import Desk
from tests.stacks import Stack

LEASE_IS_OVER = """
from django.utils import timezone
from clio_sync.models import Delivery
Delivery.objects.exclude(lease_until=None).update(lease_until=timezone.now())
"""


@pytest.mark.usefixtures("connected")
def test_a_worker_killed_in_mid_filing_files_one_document_after_it_is_back(
    stack: Stack, desk: Callable[[str], Desk], clio: Clio
) -> None:
    title, file = "Engagement letter, worker killed", File.letter("worker killed")
    carol, alice = desk("carol"), desk("alice")
    acts.submit(carol, file, title=title)
    acts.find(alice, title)

    clio.go_wrong("storage.put", "delay", seconds=8)
    acts.approve(alice)
    expect(acts.status(alice)).to_have_text("Filing 2/3")
    stack.kill("worker")
    assert not clio.documents(file.name)[0]["visible"]
    two_minutes_later = stack.manage("shell", "--no-imports", "--command", LEASE_IS_OVER)
    assert two_minutes_later.returncode == 0, two_minutes_later.stderr

    expect(acts.status(alice)).to_have_text("Filed")
    assert clio.content(clio.only_document(file.name)) == file.sha256
