from __future__ import annotations

import pytest

from reviews.formats import Reason
from tests.reviews.formats.made import examine, found, refusal

ACTIVE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example>",
    "<img src=x onerror=alert(1)>",
    "<p onmouseover='x'>",
    "<body onload=x>",
    "<iframe src='https://a.example'></iframe>",
    "<iframe srcdoc='<script>'></iframe>",
    "<object data=x></object>",
    "<embed src=x>",
    "<applet code=x>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<math><mtext></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<xmp><p></xmp>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='data:text/html,<script>'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<![CDATA[x]]>",
    "<?php echo 1 ?>",
]
FETCHING = [
    "<img src='https://evil.example/pixel.gif'>",
    "<img src='//evil.example/pixel.gif'>",
    "<img src='local.png'>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<img srcset='https://evil.example/a 2x'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<link rel=prefetch href='https://evil.example/'>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style>p{background:url(https://evil.example/)}</style>",
    "<style>p{background:\\75rl(https://evil.example/)}</style>",
    "<p style='background:url(//evil.example)'>",
    "<p style='background: image-set(\"x\" 1x)'>",
    "<form action='https://evil.example'>",
    "<button formaction='https://evil.example'>",
    "<video src='https://evil.example/v'>",
    "<video poster='https://evil.example/p'>",
    "<table background='https://evil.example/p'>",
    "<a href='/relative'>x</a>",
    "<a ping='https://evil.example' href='https://a.example'>x</a>",
]


def page(body: str) -> bytes:
    return f"<!doctype html><html><body><p>Hello</p>{body}".encode()


@pytest.mark.parametrize("body", ACTIVE)
def test_a_page_that_acts_is_refused(body: str) -> None:
    refused = refusal("a.html", page(body))
    assert refused.code is Reason.ACTIVE


@pytest.mark.parametrize("body", FETCHING)
def test_a_page_that_fetches_is_refused(body: str) -> None:
    assert refusal("a.html", page(body)).code is Reason.EXTERNAL


@pytest.mark.parametrize(
    ("code", "count", "body"),
    [
        ("comments", 1, "<!-- do not tell the client -->"),
        ("hidden_text", 1, "<p style='display: none'>secret</p>"),
        ("hidden_text", 1, "<p hidden>secret</p>"),
        ("hidden_text", 1, "<template><p>secret</p></template>"),
        ("form_fields", 1, "<input value=x>"),
        ("links", 1, "<a href='https://a.example/x'>x</a>"),
        ("links", 1, "<a href='mailto:x@y.example'>x</a>"),
        ("metadata", 1, "<title>Letter</title>"),
        ("styling", 1, "<style>p { color: red }</style>"),
        ("invisible_characters", 1, "<p>a\u202eb</p>"),
    ],
)
def test_what_the_preview_does_not_show_is_listed(code: str, count: int, body: str) -> None:
    assert found(examine("a.html", page(body))) == {code: count}


def test_styles_that_hide_or_add_text_are_listed() -> None:
    css = "<style>.a { visibility: hidden } .b::before { content: 'not ' }</style>"
    assert found(examine("a.html", page(css))) == {"hidden_text": 1, "alternate_text": 1, "styling": 1}


@pytest.mark.parametrize(
    "body",
    [
        "<a href='#top'>up</a>",
        "<img alt='seal' src='data:image/png;base64,iVBORw0KGgo='>",
        "<p style='margin-top: 2em; text-align: right'>x</p>",
        "<table><tr><td colspan=2>x</td></tr></table>",
        "<p>if (a &lt; b) javascript: is a scheme</p>",
    ],
)
def test_honest_pages_are_not_accused(body: str) -> None:
    assert found(examine("a.html", page(body))) == {}


def test_words_are_counted_without_the_code() -> None:
    body = "<style>p { color: red }</style><title>Not a word</title><p>two</p><p>three &amp; four</p>"
    assert examine("a.html", page(body)).word_count == 5


def test_a_page_nested_without_end_is_refused() -> None:
    assert refusal("a.html", page("<div>" * 5000)).code is Reason.TOO_COMPLEX
