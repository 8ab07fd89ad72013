"""When a signed address ends, told by itself and never believed for longer than ten minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clio_sync.api.presigned import header_problem, put_deadline

NOW = datetime(2026, 11, 20, 16, 30, 5, tzinfo=UTC)
TEN_MINUTES = NOW + timedelta(minutes=10)


def address(date: str = "20261120T163005Z", expires: str = "600") -> str:
    return (
        f"https://b.s3.us-east-1.amazonaws.com/x?X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-Signature=1"
    )


@pytest.mark.parametrize(
    ("put_url", "deadline"),
    [
        (address(), TEN_MINUTES),
        (address(expires="90"), NOW + timedelta(seconds=90)),
        (address(expires="28800"), TEN_MINUTES),
        (address(date="20261120T162505Z"), NOW + timedelta(minutes=5)),
        (address(date="20261120T150000Z"), datetime(2026, 11, 20, 15, 10, tzinfo=UTC)),
        (address(date="20991120T163005Z"), TEN_MINUTES),
        (address(date="99991231T235959Z", expires="9999999"), TEN_MINUTES),
        (address(date="yesterday"), TEN_MINUTES),
        (address(date="20261399T996005Z"), TEN_MINUTES),
        (address(expires="-1"), TEN_MINUTES),
        (address(expires="soon"), TEN_MINUTES),
        (address(expires="9" * 30), TEN_MINUTES),
        ("https://b.s3.us-east-1.amazonaws.com/x", TEN_MINUTES),
        ("https://[", TEN_MINUTES),
        ("", TEN_MINUTES),
        ("https://h/?" + "&".join(f"a{n}=1" for n in range(99)), TEN_MINUTES),
    ],
)
def test_the_deadline_is_what_the_address_says_within_ten_minutes(put_url: str, deadline: datetime) -> None:
    assert put_deadline(put_url, now=NOW) == deadline


@pytest.mark.parametrize("wrong_by", [timedelta(hours=1), -timedelta(hours=1)])
def test_a_wrong_clock_here_does_not_shorten_a_good_address(wrong_by: timedelta) -> None:
    ours = NOW + wrong_by

    assert put_deadline(address(expires="300"), answered_at=NOW.timestamp(), now=ours) == ours + timedelta(
        minutes=5
    )


def test_the_headers_clio_names_may_be_sent() -> None:
    named = [("Content-Type", "a/b"), ("CONTENT-MD5", "x=="), ("x-amz-server-side-encryption", "AES256")]

    assert header_problem(named) == ""
    assert header_problem([]) == ""


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ([("Host", "x")], "has a header that is not allowed"),
        ([("x-amz-", "x")], "has a header that is not allowed"),
        ([("X-Forwarded-Host", "x")], "has a header that is not allowed"),
        ([("Content-Type", "a\nb")], "has a header value that is not allowed"),
        ([("Content-Type", "ä")], "has a header value that is not allowed"),
        ([("Content-Type", "x" * 3000)], "has a header value that is not allowed"),
        ([("x-amz-a", "1"), ("X-AMZ-A", "2")], "has a header twice"),
        ([(f"x-amz-{n}", "1") for n in range(33)], "has too many headers"),
    ],
)
def test_a_header_that_could_change_the_meaning_of_the_call_may_not(
    headers: list[tuple[str, str]], problem: str
) -> None:
    assert header_problem(headers) == problem
