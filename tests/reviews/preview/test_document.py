from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from reviews.preview.document import CONTENT_SECURITY_POLICY, HEADERS, STYLE, page
from reviews.preview.model import Preview


def test_the_policy_allows_our_own_style_and_pictures_in_the_page_and_nothing_else() -> None:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert CONTENT_SECURITY_POLICY.split("; ") == [
        "sandbox",
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_style_in_the_page_is_the_one_the_policy_names() -> None:
    html = page(Preview("<p>x</p>"), title="x")
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style == STYLE and "\r" not in html


def test_the_style_itself_fetches_nothing() -> None:
    assert "url(" not in STYLE and "@import" not in STYLE and "<" not in STYLE


def test_every_answer_says_how_it_is_to_be_treated() -> None:
    assert HEADERS["X-Content-Type-Options"] == "nosniff" and HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["Cross-Origin-Resource-Policy"] == "same-origin" and HEADERS["Cache-Control"] == "no-store"


def test_a_title_cannot_break_out() -> None:
    html = page(
        Preview("<p>x</p>", ("Note <b>",)), title='</title><script>alert("x")</script>', language='"><script>'
    )

    class Scripts(HTMLParser):
        found = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += tag in {"script", "b"}

    parser = Scripts()
    parser.feed(html)
    assert parser.found == 0 and "Note &lt;b&gt;" in html
