"""Plain text and Markdown: UTF-8, no NUL, and nothing hidden between the letters."""

from __future__ import annotations

import re
from collections import Counter
from typing import BinaryIO

from reviews.formats.characters import controls_in, invisible_in, invisible_sentence
from reviews.formats.kinds import MediaType
from reviews.formats.links import links_finding
from reviews.formats.report import Finding, FindingCode, Inspection, Reason, Refused, counted

MAX_TEXT = 10 * 1024 * 1024

_RAW_HTML = re.compile(r"<(?:[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]{0,500})?/?|/[A-Za-z][A-Za-z0-9-]*\s*|!--)>?")
_LINK = re.compile(r"(?i)\b(?:https?://|mailto:)[^\s<>\"')\]]{1,2000}")


def decode(file: BinaryIO) -> str:
    """The text of the file. Raises Refused when it is not UTF-8 (naming the line) or far too long."""
    file.seek(0)
    raw = file.read(MAX_TEXT + 1)
    if len(raw) > MAX_TEXT:
        raise Refused(
            Reason.TOO_LONG,
            f"The text is longer than {MAX_TEXT // 1024**2} MB, more than anybody can review. Split it, or "
            "send a PDF.",
        )
    if b"\0" in raw:
        raise Refused(
            Reason.NOT_UTF8,
            f"The file is not text: it contains a NUL byte (line {_line(raw, raw.index(0))}). {_HOW}",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            Reason.NOT_UTF8, f"The text is not UTF-8 (line {_line(raw, error.start)}). {_HOW}"
        ) from error
    if not text.strip():
        raise Refused(Reason.EMPTY, "The file has no text in it. Check that it was saved, and send it again.")
    return text


_HOW = "Save it again with the encoding UTF-8 and send that."


def inspect(file: BinaryIO, media_type: MediaType) -> Inspection:
    text = decode(file)
    findings = character_findings(text)
    if media_type is MediaType.MARKDOWN:
        findings += _markdown_findings(text)
    return Inspection(media_type, tuple(findings), word_count=len(text.split()))


def character_findings(text: str) -> list[Finding]:
    unseen = Counter([*invisible_in(text), *controls_in(text)])
    return [invisible_sentence(unseen)] if unseen else []


def _markdown_findings(text: str) -> list[Finding]:
    findings = []
    links = _LINK.findall(text)
    if links:
        findings.append(links_finding(links))
    raw = len(_RAW_HTML.findall(text))
    if raw:
        findings.append(
            Finding(
                FindingCode.RAW_HTML,
                raw,
                f"{counted(raw, 'HTML tag')} in the Markdown, shown as they are written.",
            )
        )
    return findings


def _line(raw: bytes, position: int) -> int:
    return raw.count(b"\n", 0, position) + 1
