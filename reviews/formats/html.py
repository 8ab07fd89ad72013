"""HTML drafts: words and tables only. A page that acts would act on the client's computer after filing."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import BinaryIO

from reviews.formats import text as plain
from reviews.formats.kinds import MediaType
from reviews.formats.links import is_web_link, links_finding
from reviews.formats.report import Finding, FindingCode, Inspection, Reason, Refused, counted, quoted

MAX_DEPTH = 300

_ACTIVE = frozenset(
    [
        "script",
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "applet",
        "portal",
        "fencedframe",
        "base",
        "noscript",
        "xmp",
        "plaintext",
        "noembed",
        "noframes",
    ]
)
_DRAWN = frozenset({"svg", "math"})
_FORM = frozenset({"form", "input", "button", "select", "textarea"})
_MEDIA = frozenset({"audio", "video", "source", "track"})
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_URLS = frozenset(
    [
        "href",
        "src",
        "action",
        "formaction",
        "background",
        "cite",
        "data",
        "poster",
        "srcset",
        "longdesc",
        "xlink:href",
        "ping",
        "manifest",
        "codebase",
        "usemap",
    ]
)
_PICTURE = re.compile(r"(?i)data:image/(png|jpeg|gif);base64,[a-z0-9+/=\s]+")
_FETCHING_CSS = re.compile(
    r"(?i)url\s*\(|@import|expression\s*\(|-moz-binding|behavior\s*:|image-set\s*\(|\\"
)
_HIDING_CSS = re.compile(
    r"(?i)display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0*\.?0*\s*(;|$|\})|font-size\s*:\s*0"
    r"|text-indent\s*:\s*-|clip(-path)?\s*:|left\s*:\s*-\d{3}"
)
_GENERATED_CSS = re.compile(r"(?i)content\s*:")


def inspect(file: BinaryIO) -> Inspection:
    text = plain.decode(file)
    reader = read(text)
    findings = [*reader.findings(), *plain.character_findings(text)]
    return Inspection(MediaType.HTML, tuple(findings), word_count=len(reader.words().split()))


def read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader


class _Reader(HTMLParser):
    """Refuses what acts or fetches; counts what the preview leaves out or shows in another way."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._pieces: list[str] = []
        self._counts: Counter[FindingCode] = Counter()
        self._links: list[str] = []
        self._title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ACTIVE:
            raise _active(f"<{tag}>", self.getpos()[0])
        if tag in _DRAWN:
            raise Refused(
                Reason.ACTIVE,
                f"The page contains a drawing in code (<{tag}>, line {self.getpos()[0]}), which cannot be "
                "shown safely. "
                "Replace it by a picture or by text, and send the new file.",
            )
        self._count_tag(tag)
        attributes = {name.casefold(): value or "" for name, value in attrs}
        self._refuse_handlers(attributes)
        for name, value in attributes.items():
            self._judge(tag, name, value)
        if (
            tag == "meta"
            and "http-equiv" in attributes
            and attributes["http-equiv"].casefold().strip() == "refresh"
        ):
            raise _active("a page change on its own (meta refresh)", self.getpos()[0])
        if "hidden" in attributes:
            self._counts[FindingCode.HIDDEN_TEXT] += 1
        if tag not in _VOID:
            self._push(tag)
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "style":
            self._judge_css(data)
        elif inside == "title":
            self._title += data[:300]
        else:
            self._pieces.append(data)

    def handle_comment(self, data: str) -> None:
        if data.strip():
            self._counts[FindingCode.COMMENTS] += 1

    def unknown_decl(self, data: str) -> None:
        raise _active("a section only some programs read (CDATA)", self.getpos()[0])

    def handle_pi(self, data: str) -> None:
        if not data.casefold().startswith("xml "):
            raise _active("a processing instruction", self.getpos()[0])

    def words(self) -> str:
        return re.sub(r"\s*\n\s*", "\n", "".join(self._pieces)).strip()

    def findings(self) -> list[Finding]:
        findings = [
            Finding(code, self._counts[code], f"{counted(self._counts[code], one, many)} {rest}.")
            for code, (one, many, rest) in _SENTENCES.items()
            if self._counts[code]
        ]
        if self._links:
            findings.append(links_finding(self._links))
        if self._title.strip():
            sentence = f"The page calls itself {quoted(self._title)} in the title bar."
            findings.append(Finding(FindingCode.METADATA, 1, sentence))
        return findings

    def _push(self, tag: str) -> None:
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            raise Refused(
                Reason.TOO_COMPLEX,
                f"The page nests more than {MAX_DEPTH} elements (line {self.getpos()[0]}). Simplify it and "
                "send the new file.",
            )

    def _count_tag(self, tag: str) -> None:
        if tag in _FORM:
            self._counts[FindingCode.FORM_FIELDS] += 1
        elif tag in _MEDIA:
            self._counts[FindingCode.MULTIMEDIA] += 1
        elif tag == "template":
            self._counts[FindingCode.HIDDEN_TEXT] += 1
        elif tag == "style":
            self._counts[FindingCode.STYLING] += 1

    def _refuse_handlers(self, attributes: dict[str, str]) -> None:
        for name in attributes:
            if name.startswith("on") or name == "srcdoc":
                raise _active(f"an instruction to the browser ({quoted(name, 30)})", self.getpos()[0])

    def _judge(self, tag: str, name: str, value: str) -> None:
        if name == "style":
            self._judge_css(value)
        elif name in _URLS and value.strip():
            self._judge_address(
                tag, name, re.sub(r"[\x00-\x20\x7f-\x9f]", "", value) if ":" in value else value.strip()
            )

    def _judge_address(self, tag: str, name: str, address: str) -> None:
        if address.startswith("#"):
            return
        if tag == "img" and name == "src" and _PICTURE.fullmatch(address):
            return
        if name in {"href", "cite"} and tag in {"a", "area", "blockquote", "q", "ins", "del"}:
            if not is_web_link(address):
                raise Refused(
                    Reason.EXTERNAL if ":" not in address else Reason.ACTIVE,
                    "The page has a link that leads to neither a web page nor an e-mail address: "
                    f"{quoted(address)} "
                    f"(line {self.getpos()[0]}). Remove it and send the new file.",
                )
            self._links.append(address)
            return
        raise Refused(
            Reason.EXTERNAL,
            f"The page loads something from outside itself: {quoted(address)} (line {self.getpos()[0]}). "
            "Put the picture or the text into the page, or send a PDF.",
        )

    def _judge_css(self, css: str) -> None:
        if _FETCHING_CSS.search(css):
            raise Refused(
                Reason.EXTERNAL,
                f"The page's styling can load content from outside (line {self.getpos()[0]}). "
                "Remove url(), @import and escapes from the style, and send the new file.",
            )
        if _HIDING_CSS.search(css):
            self._counts[FindingCode.HIDDEN_TEXT] += 1
        if _GENERATED_CSS.search(css):
            self._counts[FindingCode.ALTERNATE_TEXT] += 1


_BLOCKS = frozenset(
    [
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "tr",
        "br",
        "table",
        "ul",
        "ol",
        "blockquote",
        "pre",
        "section",
        "article",
        "header",
        "footer",
        "dt",
        "dd",
        "hr",
        "td",
        "th",
        "caption",
    ]
)

_SENTENCES = {
    FindingCode.COMMENTS: ("comment", "comments", "in the page's code, invisible to a reader"),
    FindingCode.HIDDEN_TEXT: ("place", "places", "where the styling can hide text; the preview shows it"),
    FindingCode.ALTERNATE_TEXT: (
        "style rule",
        "style rules",
        "that add text of their own, which the preview leaves out",
    ),
    FindingCode.FORM_FIELDS: ("form field", "form fields", "in the page"),
    FindingCode.MULTIMEDIA: ("sound or video", "sounds or videos", "in the page"),
    FindingCode.STYLING: (
        "style sheet",
        "style sheets",
        "in the page, so it looks different from this preview",
    ),
}


def _active(what: str, line: int) -> Refused:
    return Refused(
        Reason.ACTIVE,
        f"The page contains {what}, which acts when somebody opens it (line {line}). "
        "Remove it, or send the document as Word or PDF.",
    )
