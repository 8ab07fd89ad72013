"""The gate every preview passes: words, tables and small pictures, nothing that acts or fetches."""

from __future__ import annotations

import re
from html import escape, unescape

import nh3

from reviews.formats.characters import shown
from reviews.preview.pictures import Album

# Classes that our own converters write. HTML drafts get none: they cannot imitate our marks.
OUR_CLASSES = {
    "span": {"cs-hidden", "cs-number", "cs-comment"},
    "p": {f"cs-level{level}" for level in range(1, 10)},
    "ins": {"cs-ins"},
    "del": {"cs-del"},
}

_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("strong", "b", "em", "i", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "mark"),
    *("code", "pre", "kbd", "samp", "var", "blockquote", "q", "cite", "abbr", "dfn", "time", "span"),
    *("div", "section", "article", "header", "footer", "main", "address", "center", "figure", "figcaption"),
    *("a", "img"),
}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "col": {"span"},
    "colgroup": {"span"},
}
_PICTURELESS = re.compile(r'<img(?: alt="([^"]*)")?>')
_DROPPED_WITH_CONTENT = {"script", "style", "title"}
_SCHEMES = {"http", "https", "mailto", "data"}


def sanitize(html: str, *, classes: dict[str, set[str]] | None = None) -> str:
    """Reduce HTML to the allow-list. Links keep their text and show their address, but lead nowhere."""
    album = Album()

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) == ("img", "src"):
            return value if album.accepts(value) else None
        if value.lstrip().lower().startswith("data:"):
            return None
        return value

    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        allowed_classes=classes or {},
        url_schemes=_SCHEMES,
        link_rel=None,
        strip_comments=True,
    )
    # In what the sanitizer writes, a "<" is escaped in text and a quote is escaped in attributes, so this
    # exact string is the start of a link and nothing else.
    return shown(_PICTURELESS.sub(_picture_note, cleaned.replace('<a href="', '<a data-href="')))


def _picture_note(match: re.Match[str]) -> str:
    words = f": {escape(unescape(match[1]))}" if match[1] else ""
    return f"<em>[Picture not shown{words}]</em>"
