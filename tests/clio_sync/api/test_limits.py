"""Clio's limit headers, honest and absurd."""

from __future__ import annotations

import pytest

from clio_sync.api.limits import LONGEST_WAIT, RateReading, read_rate, read_retry_after

NOW = 1_795_192_200.0
DATE = "Fri, 20 Nov 2026 16:30:00 GMT"
AT_DATE = 1_795_192_200.0


def test_the_window_is_read_from_the_headers() -> None:
    headers = {"x-ratelimit-limit": "50", "x-ratelimit-remaining": "47", "x-ratelimit-reset": "1795192260"}

    assert read_rate(headers, now=NOW) == RateReading(50, 47, 1795192260, 60.0)


def test_clios_own_date_is_believed_over_a_wrong_clock_here() -> None:
    headers = {"date": DATE, "x-ratelimit-reset": "1795192260"}

    assert read_rate(headers, now=NOW - 7200).reset_in == 1795192260 - AT_DATE


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit": "NaN", "x-ratelimit-remaining": "NaN", "x-ratelimit-reset": "NaN"},
        {"x-ratelimit-limit": "-1", "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "-1"},
        {"x-ratelimit-limit": "0", "x-ratelimit-reset": "0"},
        {"x-ratelimit-limit": "1e9", "x-ratelimit-remaining": "50.5", "x-ratelimit-reset": "tomorrow"},
        {"x-ratelimit-limit": "9" * 40, "x-ratelimit-remaining": "9" * 40, "x-ratelimit-reset": "9" * 40},
        {"x-ratelimit-limit": "٥٠", "x-ratelimit-remaining": "", "x-ratelimit-reset": "60"},
        {"x-ratelimit-reset": "1795200000", "date": "not a date"},
        {"x-ratelimit-reset": "1", "date": "Fri, 99 Nov 99999 99:99:99 GMT"},
    ],
)
def test_absurd_limits_read_as_not_said(headers: dict[str, str]) -> None:
    assert read_rate(headers, now=NOW) == RateReading()


def test_more_remaining_than_the_limit_is_not_believed() -> None:
    assert read_rate({"x-ratelimit-limit": "50", "x-ratelimit-remaining": "51"}, now=NOW) == RateReading(50)


def test_a_window_that_has_just_ended_ends_now() -> None:
    assert read_rate({"x-ratelimit-reset": str(int(NOW) - 3)}, now=NOW).reset_in == 0.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("23", 23.0),
        (" 23 ", 23.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("99999", LONGEST_WAIT),
        ("Fri, 20 Nov 2026 16:30:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 16:29:00 GMT", 0.0),
        ("Fri, 20 Nov 2099 16:29:00 GMT", LONGEST_WAIT),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("9" * 400, None),
    ],
)
def test_how_long_to_wait_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert read_retry_after({"retry-after": value}, now=NOW) == seconds


def test_no_time_to_wait_is_none() -> None:
    assert read_retry_after({}, now=NOW) is None
