"""The short form of the renewal's figures: a crowd at an ended token, the killed and the late."""

from __future__ import annotations

import pytest

from bench import refresh_storm
from bench.refresh_storm import SEED


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_a_token_is_renewed_once_whoever_comes_dies_or_oversleeps(database: str) -> None:
    assert all(refresh_storm.measure(on=[database], short=True, seed=SEED))


def test_renewing_without_the_lease_would_be_noticed() -> None:
    assert not any(refresh_storm.measure(on=["sqlite"], short=True, seed=SEED, without_lease=True))
