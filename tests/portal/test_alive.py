from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from portal import alive
from portal.stack.ports import free_port


def test_beat_is_alive_while_it_saves_its_schedule(tmp_path: Path) -> None:
    schedule = tmp_path / "beat-schedule"
    assert not alive.beat_is_alive(schedule)
    saved = tmp_path / "beat-schedule.dat"  # the system's database module chooses the ending
    saved.touch()
    assert alive.beat_is_alive(schedule)
    long_ago = time.time() - alive.BEAT_SAVES_WITHIN - 1
    os.utime(saved, (long_ago, long_ago))
    assert not alive.beat_is_alive(schedule)


def test_a_site_that_does_not_listen_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", "https://countersign.example")
    assert not alive.web_is_alive(free_port())
