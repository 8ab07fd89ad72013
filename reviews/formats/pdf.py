"""PDFs: no passwords, no programs, no dynamic forms; and a list of what the page images do not show.

Runs in the confined process.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import pikepdf

from reviews.formats.kinds import MediaType
from reviews.formats.links import is_web_link, links_finding
from reviews.formats.report import Finding, FindingCode, Inspection, Reason, Refused, counted, quoted
from reviews.preview import pages as viewer

MAX_PAGES = 5_000
MAX_OBJECTS = 500_000
MAX_VALUES = 3_000_000
MAX_NESTING = 60
COUNT_WORDS_UP_TO = 300  # pages

_LIMITS = {
    "parser_max_nesting": 100,
    "parser_max_container_size": 1_000_000,
    "doc_max_warnings": 1_000,
    "flate_max_memory": 256 * 1024**2,
    "run_length_max_memory": 256 * 1024**2,
    "png_max_memory": 256 * 1024**2,
    "tiff_max_memory": 256 * 1024**2,
    "dct_max_memory": 256 * 1024**2,
}
_COMMENTS = frozenset(
    [
        "/Text",
        "/FreeText",
        "/Highlight",
        "/Underline",
        "/Squiggly",
        "/StrikeOut",
        "/Stamp",
        "/Caret",
        "/Ink",
        "/Popup",
        "/Line",
        "/Square",
        "/Circle",
        "/Polygon",
        "/PolyLine",
        "/Redact",
    ]
)
_MEDIA = frozenset({"/RichMedia", "/3D", "/Movie", "/Sound", "/Screen"})
_PLAIN_ACTIONS = frozenset({"/GoTo", "/URI", "/Named", "/Thread"})
_LISTED_ACTIONS = frozenset(
    [
        "/SubmitForm",
        "/ImportData",
        "/ResetForm",
        "/GoToR",
        "/GoToE",
        "/Hide",
        "/SetOCGState",
        "/Rendition",
        "/Trans",
        "/GoTo3DView",
        "/RichMediaExecute",
        "/Movie",
        "/Sound",
    ]
)
_INFO = {
    "/Author": "author",
    "/Creator": "made with",
    "/Producer": "written by",
    "/Title": "title",
    "/Subject": "subject",
    "/Keywords": "keywords",
    "/Company": "company",
}
_EXECUTABLE = re.compile(
    r"(?i)\.(exe|dll|com|scr|bat|cmd|ps1|js|jse|vbs|vbe|wsf|hta|msi|lnk|jar|reg|chm|app|dmg|sh|docm|xlsm|pptm)\s*$"
)


def inspect(file: BinaryIO) -> Inspection:
    """Read the whole object graph with qpdf, then make sure the renderer sees the same number of pages."""
    pikepdf.settings.set_qpdf_limits(**cast("Any", _LIMITS))
    found = _Found()
    try:
        pages = _walk(file, found)
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except (pikepdf.PdfError, pikepdf.PikepdfError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise _damaged("its structure is broken") from error
    words = _words(file, pages)
    _around(file, found)
    return Inspection(MediaType.PDF, tuple(found.findings()), page_count=pages, word_count=words)


@dataclass
class _Found:
    counts: Counter[FindingCode] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)

    def findings(self) -> list[Finding]:
        findings = [
            Finding(code, self.counts[code], f"{counted(self.counts[code], one, many)} {rest}.")
            for code, (one, many, rest) in _SENTENCES.items()
            if self.counts[code]
        ]
        if self.attachments:
            named = ", ".join(quoted(name, 40) for name in self.attachments[:5])
            sentence = f"{counted(len(self.attachments), 'file')} attached inside the PDF: {named}."
            findings.append(Finding(FindingCode.EMBEDDED_FILES, len(self.attachments), sentence))
        if self.links:
            findings.append(links_finding(self.links))
        if self.details:
            told = "; ".join(f"{label} {quoted(text, 60)}" for label, text in self.details.items())
            findings.append(
                Finding(FindingCode.METADATA, len(self.details), f"The file's details name: {told}.")
            )
        return findings


_SENTENCES = {
    FindingCode.COMMENTS: ("annotation", "annotations", "such as notes, highlights or stamps"),
    FindingCode.FORM_FIELDS: ("form field", "form fields", "that can still be changed"),
    FindingCode.SIGNATURES: ("signature field", "signature fields", "in the file"),
    FindingCode.ACTIONS: (
        "action",
        "actions",
        "that a PDF program may carry out when the file is opened or clicked",
    ),
    FindingCode.MULTIMEDIA: (
        "sound, video or 3-D object",
        "sounds, videos or 3-D objects",
        "that the page images do not show",
    ),
    FindingCode.LAYERS: (
        "layer",
        "layers",
        "that can be switched on or off, so another reader may see other content",
    ),
    FindingCode.EARLIER_SAVES: ("earlier state", "earlier states", "of the document kept inside the file"),
    FindingCode.TRAILING_DATA: ("byte", "bytes", "of other data after the end of the PDF"),
    FindingCode.CUSTOM_DATA: ("block", "blocks", "of private program data that the pages do not show"),
}


def _walk(file: BinaryIO, found: _Found) -> int:
    with pikepdf.open(file, attempt_recovery=False, inherit_page_attributes=False) as pdf:
        if pdf.is_encrypted or "/Encrypt" in pdf.trailer:
            raise _encrypted()
        if int(pdf.trailer.get("/Size", 0)) > MAX_OBJECTS:
            raise _too_long(f"more than {MAX_OBJECTS:,} objects")
        _check_pages(int(pdf.Root.get("/Pages", pikepdf.Dictionary()).get("/Count", 0)))
        if len(pdf.objects) > MAX_OBJECTS:
            raise _too_long(f"more than {MAX_OBJECTS:,} objects")
        _Graph(found).read(pdf)
        _details(pdf, found)
        pages = len(pdf.pages)
    _check_pages(pages)
    return pages


def _check_pages(pages: int) -> None:
    """Asked of the number the file claims before its pages are read, and of the true number afterwards."""
    if pages <= 0:
        raise Refused(Reason.EMPTY, "The PDF has no pages. Print it again and send the new file.")
    if pages > MAX_PAGES:
        raise _too_long(f"{pages:,} pages, and at most {MAX_PAGES:,} are accepted")


class _Graph:
    """Looks at every object of the file, reachable or not, since programs differ in what they reach."""

    def __init__(self, found: _Found) -> None:
        self._found = found
        self._left = MAX_VALUES

    def read(self, pdf: Any) -> None:
        self._opening(pdf.Root.get("/OpenAction"))
        for value in pdf.objects:
            self._look(value, 0)
        self._look(pdf.trailer, 0)

    def _look(self, value: Any, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > MAX_NESTING:
            raise _too_long("more structure than a document needs")
        if isinstance(value, pikepdf.Array):
            children = list(value.as_list())
        elif isinstance(value, (pikepdf.Dictionary, pikepdf.Stream)):
            items = dict(value.items())
            self._judge(items, is_stream=isinstance(value, pikepdf.Stream))
            children = list(items.values())
        else:
            return
        for child in children:
            if isinstance(child, pikepdf.Object) and not child.is_indirect:
                self._look(child, depth + 1)

    def _judge(self, items: dict[str, Any], *, is_stream: bool) -> None:
        self._refuse(items, is_stream=is_stream)
        action, counts = _name(items.get("/S")), self._found.counts
        if action in _LISTED_ACTIONS:
            counts[FindingCode.ACTIONS] += 1
        if action == "/URI" and "/URI" in items:
            self._link(_text(items["/URI"]))
        if "/AA" in items:
            counts[FindingCode.ACTIONS] += 1
        if _name(items.get("/Subtype")) in _COMMENTS and "/Rect" in items:
            counts[FindingCode.COMMENTS] += _name(items["/Subtype"]) != "/Popup"
        if _name(items.get("/Subtype")) in _MEDIA:
            counts[FindingCode.MULTIMEDIA] += 1
        if _name(items.get("/FT")) == "/Sig":
            counts[FindingCode.SIGNATURES] += 1
        elif "/FT" in items:
            counts[FindingCode.FORM_FIELDS] += 1
        counts[FindingCode.LAYERS] += _name(items.get("/Type")) == "/OCG"
        counts[FindingCode.CUSTOM_DATA] += "/PieceInfo" in items
        if "/EF" in items:
            self._attachment(items)

    def _refuse(self, items: dict[str, Any], *, is_stream: bool) -> None:
        action = _name(items.get("/S"))
        if "/JS" in items or action == "/JavaScript":
            raise _active("JavaScript")
        if action == "/Launch":
            raise _active("an instruction to start another program")
        if "/XFA" in items:
            raise Refused(
                Reason.DYNAMIC_FORM,
                "The PDF is a dynamic form (XFA), which different programs show differently. "
                "Print it to PDF and send the printed file.",
            )
        if is_stream and "/F" in items and "/Length" in items:
            raise Refused(
                Reason.EXTERNAL,
                "The PDF takes part of its content from another file. Print it to PDF and send the printed "
                "file.",
            )

    def _link(self, target: str) -> None:
        if is_web_link(target):
            self._found.links.append(target)
        elif ":" in target:
            raise Refused(
                Reason.EXTERNAL,
                "The PDF has a link that leads to neither a web page nor an e-mail address: "
                f"{quoted(target)}. "
                "Remove it, print to PDF again, and send the new file.",
            )

    def _attachment(self, items: dict[str, Any]) -> None:
        name = _text(items.get("/UF")) or _text(items.get("/F")) or "unnamed"
        if _EXECUTABLE.search(name) or any(map(_is_program, _streams(items["/EF"], pikepdf.Stream))):
            raise Refused(
                Reason.EMBEDDED_PROGRAM,
                f"The PDF carries a program inside, {quoted(name)}. Remove the attachment and send the new "
                "file.",
            )
        self._found.attachments.append(name)

    def _opening(self, action: Any) -> None:
        if isinstance(action, pikepdf.Dictionary) and _name(action.get("/S")) not in _PLAIN_ACTIONS:
            self._found.counts[FindingCode.ACTIONS] += 1


def _streams(files: Any, kind: type) -> list[Any]:
    values = files.values() if hasattr(files, "values") else []
    return [value for value in values if isinstance(value, kind)]


def _is_program(stream: Any) -> bool:
    return bool(stream.read_bytes()[:4].startswith((b"MZ", b"\x7fELF")))


def _name(value: Any) -> str:
    return str(value) if isinstance(value, pikepdf.Name) else ""


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (pikepdf.String, str)) else ""


def _details(pdf: Any, found: _Found) -> None:
    info = pdf.trailer.get("/Info")
    if not isinstance(info, pikepdf.Dictionary):
        return
    for key, label in _INFO.items():
        if _text(info.get(key)).strip():
            found.details[label] = _text(info[key])[:500]


def _words(file: BinaryIO, pages: int) -> int | None:
    facts, _ = viewer.count(file)
    if facts["pages"] != pages:
        raise _damaged(f"it has {pages} pages for one program and {facts['pages']} for another")
    if pages > COUNT_WORDS_UP_TO:
        return None
    _, body = viewer.all_text(file)
    return len(body.decode().split())


def _around(file: BinaryIO, found: _Found) -> None:
    """What the bytes tell beside the structure: earlier saves, and data after the end."""
    file.seek(0)
    raw = file.read()
    ends = [match.end() for match in re.finditer(rb"%%EOF", raw)]
    linearized = b"/Linearized" in raw[:2048]
    found.counts[FindingCode.EARLIER_SAVES] = max(0, len(ends) - 1 - linearized)
    found.counts[FindingCode.TRAILING_DATA] = len(raw[ends[-1] :].strip(b"\r\n\t \0")) if ends else 0


def _encrypted() -> Refused:
    return Refused(
        Reason.ENCRYPTED,
        "The PDF is protected by a password or by restrictions. Remove the protection, or print it to PDF, "
        "and send that.",
    )


def _damaged(why: str) -> Refused:
    return Refused(Reason.DAMAGED, f"The PDF is damaged: {why}. Print it to PDF again and send the new file.")


def _active(what: str) -> Refused:
    return Refused(
        Reason.ACTIVE,
        f"The PDF contains {what}, which acts when somebody opens it. Print it to PDF and send the printed "
        "file.",
    )


def _too_long(what: str) -> Refused:
    return Refused(Reason.TOO_LONG, f"The PDF has {what}. Split it and send the parts.")
