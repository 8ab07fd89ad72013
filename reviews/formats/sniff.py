"""What a file is, by its extension, its first bytes and its container. All three must agree."""

from __future__ import annotations

import re
from typing import BinaryIO

from reviews.formats.kinds import BY_EXTENSION, MediaType
from reviews.formats.report import Reason, Refused

HEAD = 4096
TAIL = 22 + 65_535

_ADVICE = {
    "doc": "an old Word file. Save it as .docx",
    "docm": "a Word file with macros. Save it as .docx",
    "dotx": "a Word template. Save it as .docx",
    "dotm": "a Word template with macros. Save it as .docx",
    "rtf": "a rich text file. Save it as .docx",
    "odt": "an OpenDocument file. Save it as .docx",
    "pages": "a Pages file. Export it as .docx",
    "xlsx": "a spreadsheet. Print it to PDF",
    "eml": "an e-mail. Print it to PDF",
    "msg": "an e-mail. Print it to PDF",
    "zip": "an archive. Send the documents one by one",
}

_MAGIC = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP container"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x7fELF", "a Linux program"),
    (b"\xca\xfe\xba\xbe", "a Java or Mac program"),
    (b"\xcf\xfa\xed\xfe", "a Mac program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file or an encrypted one"),
    (b"{\\rtf", "a rich text file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"%!PS", "a PostScript program"),
    (b"#!", "a script"),
)
_PRINTABLE_START = re.compile(rb"[\x09\x0a\x0c\x0d\x20-\x7e\x80-\xff]")
_HTML_START = re.compile(rb"(?i)<(!doctype\s+html\b|html[\s>/])")
_MARKUP_START = re.compile(
    rb"(?i)<(!doctype\s+html\b|!--|\?xml\s[^>]*\?>\s*<(!doctype\s+html\b|html[\s>])|[a-z][a-z0-9-]*[\s>/])"
)
_NOT_HTML = re.compile(rb"(?i)<(svg|math|rss|feed|xsl:\w+|script|w:\w+|\?php)[\s>]")


def sniff(file_name: str, file: BinaryIO) -> MediaType:
    """Say what the file is. Raises Refused when name, bytes and container tell different stories."""
    claimed = by_extension(file_name)
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise Refused(Reason.EMPTY, "The file is empty. Check that it was saved, and send it again.")
    found = _magic_of(head)
    match claimed:
        case MediaType.DOCX:
            _expect(found == "a ZIP container", claimed, found)
            _refuse_if(b"%PDF-" in head[:1024], "a Word document and a PDF")
        case MediaType.PDF:
            _expect(found == "a PDF", claimed, found)
            _refuse_if(b"PK\x05\x06" in _tail(file), "a PDF and a ZIP archive")
        case MediaType.HTML:
            _expect(found is None and _looks_like_html(head), claimed, found)
        case MediaType.MARKDOWN | MediaType.TEXT:
            _expect(found is None and not _HTML_START.match(_start_of(head)), claimed, found or _markup(head))
            _refuse_if(b"%PDF-" in head[:1024], "text and a PDF")
    return claimed


def by_extension(file_name: str) -> MediaType:
    _, dot, extension = file_name.rpartition(".")
    extension = extension.lower() if dot else ""
    if extension in BY_EXTENSION:
        return BY_EXTENSION[extension]
    if extension in _ADVICE:
        raise Refused(Reason.EXTENSION, f"This is {_ADVICE[extension]} and send that.")
    ending = f"ends in .{extension}" if extension.isalnum() else "has no ending that says what it is"
    raise Refused(
        Reason.EXTENSION,
        f"The file name {ending}. Drafts may be Word (.docx), PDF, Markdown (.md), plain text (.txt) or "
        "HTML.",
    )


def _magic_of(head: bytes) -> str | None:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return what
    if head.startswith(b"MZ") and b"\0" in head:
        return "a Windows program"
    if not _PRINTABLE_START.match(_start_of(head)[:1]) and _start_of(head):
        return "not text"
    return None


def _start_of(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0c")


def _looks_like_html(head: bytes) -> bool:
    start = _start_of(head)
    return bool(_MARKUP_START.match(start)) and not _NOT_HTML.match(start)


def _markup(head: bytes) -> str | None:
    return "an HTML page" if _HTML_START.match(_start_of(head)) else None


def _tail(file: BinaryIO) -> bytes:
    end = file.seek(0, 2)
    file.seek(max(0, end - TAIL))
    return file.read(TAIL)


def _expect(agrees: bool, claimed: MediaType, found: str | None) -> None:
    if not agrees:
        raise Refused(
            Reason.MISMATCH,
            f"The name says this is a {claimed.label}, but the content is {found or 'something else'}. "
            "Send the file under the name and in the format it was made in.",
        )


def _refuse_if(two_faced: bool, what: str) -> None:
    if two_faced:
        raise Refused(
            Reason.POLYGLOT,
            f"The file is {what} at once, so two programs would show two different documents. "
            "Export the document again and send the new file.",
        )
