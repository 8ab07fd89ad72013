from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clio_sync.api.presigned import LIFETIME, put_deadline

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
V4 = "https://s3.example/uploads/a?X-Amz-Date={date}&X-Amz-Expires={seconds}&X-Amz-Signature=5e1f"
V2 = "https://s3.example/uploads/a?AWSAccessKeyId=AKIA&Expires={moment}&Signature=5e1f"


def signed(*, ago: float, seconds: int) -> str:
    date = (NOW - timedelta(seconds=ago)).strftime("%Y%m%dT%H%M%SZ")
    return V4.format(date=date, seconds=seconds)


def signed_the_old_way(*, left: float) -> str:
    return V2.format(moment=int((NOW + timedelta(seconds=left)).timestamp()))


def left(url: str, *, answered_at: datetime | None = None) -> float:
    """Seconds until the address is not used any more."""
    said = answered_at.timestamp() if answered_at else None
    return (put_deadline(url, answered_at=said, now=NOW) - NOW).total_seconds()


def test_the_address_itself_says_how_long_it_lives() -> None:
    assert left(signed(ago=60, seconds=300)) == 240
    assert left(signed_the_old_way(left=240)) == 240


def test_eight_hours_count_as_ten_minutes() -> None:
    assert left(signed(ago=0, seconds=28_800)) == LIFETIME.total_seconds() == 600
    assert left(signed_the_old_way(left=28_800)) == 600


def test_one_that_is_over_is_over() -> None:
    assert left(signed(ago=900, seconds=600)) == -300
    assert left(signed_the_old_way(left=-300)) == -300


@pytest.mark.parametrize("wrong_by", [-3600, 3600])
def test_clios_clock_counts_and_not_a_wrong_one_of_ours(wrong_by: float) -> None:
    theirs = NOW - timedelta(seconds=wrong_by)
    assert left(signed(ago=wrong_by, seconds=300), answered_at=theirs) == 300
    assert left(signed_the_old_way(left=300 - wrong_by), answered_at=theirs) == 300


@pytest.mark.parametrize(
    "query",
    [
        "",
        "X-Amz-Date=&X-Amz-Expires=",
        "X-Amz-Date=20261121T120000Z&X-Amz-Expires=-5",
        "X-Amz-Date=20261121T120000Z&X-Amz-Expires=1e3",
        "X-Amz-Date=20261121T120000Z&X-Amz-Expires=%D9%A3%D9%A0",  # digits, but not these
        "X-Amz-Date=20261321T120000Z&X-Amz-Expires=60",
        "X-Amz-Date=99991231T235959Z&X-Amz-Expires=9999999",
        "Expires=soon",
        "Expires=999999999999999999",
        "Expires=-1",
        "&".join(f"a{number}=1" for number in range(60)),
    ],
)
def test_an_address_that_does_not_say_is_believed_for_ten_minutes(query: str) -> None:
    assert left(f"https://s3.example/uploads/a?{query}") == 600


def test_an_absurd_end_is_capped() -> None:
    assert left(V2.format(moment=99_999_999_999), answered_at=NOW - timedelta(days=365_000)) == 600
