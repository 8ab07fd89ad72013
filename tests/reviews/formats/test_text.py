from __future__ import annotations

import pytest

from reviews.formats import MediaType, Reason
from reviews.formats.text import MAX_TEXT
from tests.reviews.formats.made import examine, found, refusal


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("Grüße".encode("latin-1"), "line 1"),
        (b"one\ntwo\nthr\xe9e", "line 3"),
        ("Hi".encode("utf-16"), "NUL"),
        (b"a\xed\xa0\x80", "line 1"),
        (b"a\xc0\xaf", "line 1"),
        (b"a\nb\0c", "line 2"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_text_that_is_not_utf8_is_refused_and_the_line_is_named(name: str, data: bytes, says: str) -> None:
    refused = refusal(name, data)
    assert refused.code is Reason.NOT_UTF8 and says in refused.sentence


def test_a_byte_order_mark_at_the_start_is_welcome() -> None:
    assert examine("a.txt", b"\xef\xbb\xbfDear Sir").word_count == 2


@pytest.mark.parametrize("data", [b"   \n\t ", b"\xef\xbb\xbf", b"\n"])
def test_text_without_a_word_is_refused_as_empty(data: bytes) -> None:
    assert refusal("a.txt", data).code is Reason.EMPTY


def test_text_nobody_could_read_is_refused() -> None:
    assert refusal("a.txt", b"word " * (MAX_TEXT // 5 + 1)).code is Reason.TOO_LONG
    assert examine("a.txt", b"word " * (MAX_TEXT // 5)).word_count == MAX_TEXT // 5


@pytest.mark.parametrize(
    "trick", ["\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\x1b", "\x07", "\x9b"]
)
def test_characters_nobody_sees_are_listed(trick: str) -> None:
    assert found(examine("a.txt", f"pay {trick}now".encode())) == {"invisible_characters": 1}


def test_joiners_of_honest_scripts_are_not_accused() -> None:
    assert found(examine("a.txt", "می‌خواهم 👩‍⚖️ שלום\u200f".encode())) == {}


def test_links_and_raw_html_in_markdown_are_listed() -> None:
    data = b"See [the form](https://a.example/f) and <script>alert(1)</script> or <b>bold</b>."
    assert found(examine("a.md", data)) == {"links": 1, "raw_html": 4}


def test_comparisons_in_markdown_are_not_tags() -> None:
    assert found(examine("a.md", b"if a < b and c > d then 3<4")) == {}


@pytest.mark.parametrize("data", [b"<" * 200_000, b"<a " * 100_000, b"https://" * 100_000, b"<!--" * 100_000])
def test_a_long_row_of_openings_is_read(data: bytes) -> None:
    assert examine("a.md", b"x" + data).media_type == MediaType.MARKDOWN
