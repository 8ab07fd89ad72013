"""The short form of the limiter's figures: real processes, one budget, half a minute."""

from __future__ import annotations

from bench import limiter


def test_four_workers_share_one_limit_and_a_person_goes_first() -> None:
    assert all(limiter.measure(limiter.SHORT, seed=limiter.SEED))
