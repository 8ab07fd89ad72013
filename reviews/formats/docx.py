"""Word documents: nothing that acts or fetches, and a list of what the page does not show."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO

from reviews.formats import ooxml, xml
from reviews.formats.characters import invisible_in, invisible_sentence
from reviews.formats.kinds import MediaType
from reviews.formats.links import is_web_link, links_finding
from reviews.formats.ooxml import Shape, short
from reviews.formats.report import Finding, FindingCode, Inspection, Reason, Refused, counted, quoted
from reviews.formats.zips import Package

_OFF = frozenset({"0", "false", "off"})
_TRACKED = frozenset({"w:ins", "w:del", "w:moveFrom", "w:moveTo", "w:cellIns", "w:cellDel", "w:cellMerge"})
_FORBIDDEN = {
    "w:altChunk": (Reason.EMBEDDED_DOCUMENT, "another document pasted in unopened (altChunk)"),
    "w:subDoc": (Reason.EMBEDDED_DOCUMENT, "a sub-document"),
    "w:control": (Reason.ACTIVE, "an ActiveX control"),
    "o:OLEObject": (Reason.EMBEDDED_PROGRAM, "an embedded OLE object"),
    "w:objectEmbed": (Reason.EMBEDDED_PROGRAM, "an embedded OLE object"),
    "w:objectLink": (Reason.EMBEDDED_PROGRAM, "a linked OLE object"),
}
_TEXT = frozenset({"w:t", "a:t", "m:t"})
_FIELD_TEXT = frozenset({"w:instrText", "w:delInstrText"})
_PROGRAM_FIELD = re.compile(r"(?i)^\s*(DDE|DDEAUTO|MACROBUTTON)\b")
_OUTSIDE_FIELD = re.compile(
    r"(?i)^\s*(INCLUDETEXT|INCLUDEPICTURE|INCLUDE|LINK|IMPORT|RD|DATABASE|AUTOTEXT|EMBED)\b"
)
_LINK_FIELD = re.compile(r'(?i)^\s*HYPERLINK\s+"?([^"\\\s][^"\s]*)')
_EXECUTABLE = re.compile(
    r"(?i)\.(exe|dll|com|scr|bat|cmd|ps1|js|jse|vbs|vbe|wsf|hta|msi|lnk|jar|reg|chm|docm|xlsm|xlsb|pptm)$"
)


def inspect(file: BinaryIO) -> Inspection:
    package = Package(file)
    package.inflate_all()
    shape = ooxml.read_shape(package)
    tally = _Tally(hidden_styles=hidden_styles(package, shape))
    for part in package.names:
        if shape.is_xml(part) and not part.casefold().endswith(".rels") and part != ooxml.CONTENT_TYPES:
            xml.parse(package.chunks(part), _Reader(tally, is_body=part == shape.main), part=part)
    findings = (*_findings_of(tally), *_luggage(package, shape, tally.links), *_metadata(package, shape))
    return Inspection(MediaType.DOCX, findings, word_count=tally.words)


@dataclass
class _Tally:
    hidden_styles: frozenset[str] = frozenset()
    counts: Counter[FindingCode] = field(default_factory=Counter)
    invisible: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    words: int = 0


@dataclass
class _Run:
    hidden: bool = False
    faint: bool = False
    text: bool = False


class _Reader:
    """Walks one part and adds to the tally. Refuses what acts the moment it is seen."""

    def __init__(self, tally: _Tally, *, is_body: bool) -> None:
        self._tally, self._is_body = tally, is_body
        self._path: list[str] = []
        self._run = _Run()
        self._hidden_paragraph = self._shaded = False
        self._fields: list[list[str]] = []
        self._branches: list[_Branches] = []
        self._word_open = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = short(tag)
        self._refuse(name, attributes)
        self._path.append(name)
        self._count(name)
        value = next((text for key, text in attributes.items() if short(key) == "w:val"), "")
        match name:
            case "w:p":
                self._hidden_paragraph = False
                self._word_open = False
            case "w:tc" | "w:tbl":
                self._shaded = False
            case "w:r":
                self._run = _Run(hidden=self._hidden_paragraph)
            case "w:shd":
                self._shaded = self._shaded or _attribute(attributes, "w:fill").casefold() not in {
                    "",
                    "auto",
                    "ffffff",
                }
            case "w:tab" | "w:br" | "w:cr":
                self._word_open = False
            case "w:pStyle":
                self._hidden_paragraph = value in self._tally.hidden_styles
            case "w:fldChar":
                self._field(_attribute(attributes, "w:fldCharType"))
            case "w:fldSimple":
                self._judge_field(_attribute(attributes, "w:instr"))
            case "mc:AlternateContent":
                self._branches.append(_Branches())
            case "mc:Choice" | "mc:Fallback" if self._branches:
                self._branches[-1].now = name
            case _:
                self._style_run(name, value)

    def end(self, tag: str) -> None:
        name = short(tag)
        self._path.pop()
        if name == "w:r":
            self._close_run()
        elif name == "mc:AlternateContent" and self._branches:
            self._close_branches()

    def data(self, text: str) -> None:
        name = self._path[-1] if self._path else ""
        if name in _TEXT or name == "w:delText":
            self._run.text = self._run.text or bool(text.strip())
            self._tally.invisible.update(invisible_in(text))
        if name in _FIELD_TEXT:
            self._instruct(text)
        if name in _TEXT:
            if self._branches:
                self._branches[-1].add(text)
            elif self._is_body:
                self._words_of(text)

    def _refuse(self, name: str, attributes: dict[str, str]) -> None:
        if name in _FORBIDDEN:
            reason, what = _FORBIDDEN[name]
            raise Refused(
                reason,
                f"The Word file contains {what}, which is not accepted. "
                "Remove it in Word, or print the document to PDF, and send the new file.",
            )
        if name.startswith("v:"):
            for key, target in attributes.items():
                if short(key) == "src" and (":" in target or target.startswith(("\\", "//"))):
                    raise Refused(
                        Reason.EXTERNAL,
                        f"The document loads a picture from outside itself: {quoted(target)}. "
                        "Paste the picture in, save, and send the new file.",
                    )

    def _count(self, name: str) -> None:
        counts = self._tally.counts
        if name in _TRACKED:
            counts[FindingCode.TRACKED_CHANGES] += 1
        elif name.startswith("w:") and name.endswith("PrChange"):
            counts[FindingCode.FORMAT_CHANGES] += 1
        elif name == "w:comment":
            counts[FindingCode.COMMENTS] += 1

    def _style_run(self, name: str, value: str) -> None:
        if "w:r" not in self._path[-3:]:
            return
        match name:
            case "w:vanish" | "w:webHidden" | "w:specVanish" if value.casefold() not in _OFF:
                self._run.hidden = True
            case "w:rStyle" if value in self._tally.hidden_styles:
                self._run.hidden = True
            case "w:sz" if value.isdecimal() and int(value[:9]) <= 6:
                self._run.faint = True
            case "w:color" if value.casefold() == "ffffff" and not self._shaded:
                self._run.faint = True

    def _close_run(self) -> None:
        if self._run.text and self._run.hidden:
            self._tally.counts[FindingCode.HIDDEN_TEXT] += 1
        if self._run.text and self._run.faint and not self._shaded:
            self._tally.counts[FindingCode.FAINT_TEXT] += 1
        self._run = _Run(hidden=self._hidden_paragraph)

    def _field(self, kind: str) -> None:
        """Field codes arrive in pieces between `begin` and `separate` or `end`; fields nest."""
        if kind == "begin":
            self._fields.append([])
        elif kind in {"separate", "end"} and self._fields:
            self._judge_field("".join(self._fields[-1]))
            self._fields[-1].clear()
            if kind == "end":
                self._fields.pop()

    def _instruct(self, text: str) -> None:
        if not self._fields:
            self._fields.append([])
        for pieces in self._fields:
            pieces.append(text[:4096])

    def _judge_field(self, code: str) -> None:
        if _PROGRAM_FIELD.match(code):
            raise Refused(
                Reason.ACTIVE,
                "The document contains a field that starts another program (DDE or a macro button). "
                "Remove the field in Word, save, and send the new file.",
            )
        if _OUTSIDE_FIELD.match(code):
            self._tally.counts[FindingCode.OUTSIDE_FIELDS] += 1
        link = _LINK_FIELD.match(code)
        if link and not is_web_link(link[1]) and ":" in link[1]:
            raise Refused(
                Reason.EXTERNAL,
                f"The document links to a file or program outside itself: {quoted(link[1])}. "
                "Remove the link, save, and send the new file.",
            )
        if link and is_web_link(link[1]):
            self._tally.links.append(link[1])

    def _close_branches(self) -> None:
        done = self._branches.pop()
        if done.disagree:
            self._tally.counts[FindingCode.ALTERNATE_TEXT] += 1
        if self._branches:
            self._branches[-1].add(done.choice or done.fallback)
        elif self._is_body:
            self._word_open = False
            self._words_of(done.choice or done.fallback)
            self._word_open = False

    def _words_of(self, text: str) -> None:
        """Count words across the pieces Word cuts them into."""
        words = len(text.split())
        if words and self._word_open and not text[0].isspace():
            words -= 1
        self._tally.words += words
        self._word_open = bool(text) and not text[-1].isspace()


@dataclass
class _Branches:
    """One piece of content written twice, for new and for old programs."""

    now: str = ""
    pieces: dict[str, list[str]] = field(default_factory=lambda: {"mc:Choice": [], "mc:Fallback": []})

    def add(self, text: str) -> None:
        if self.now:
            self.pieces[self.now].append(text)

    @property
    def choice(self) -> str:
        return "".join(self.pieces["mc:Choice"])

    @property
    def fallback(self) -> str:
        return "".join(self.pieces["mc:Fallback"])

    @property
    def disagree(self) -> bool:
        return bool(self.fallback) and "".join(self.choice.split()) != "".join(self.fallback.split())


def _attribute(attributes: dict[str, str], wanted: str) -> str:
    return next((text for key, text in attributes.items() if short(key) == wanted), "")


class _StylesReader:
    """Which styles hide their text, by themselves or through the style they are based on."""

    def __init__(self) -> None:
        self._style = ""
        self._hiding: set[str] = set()
        self._based_on: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        match short(tag):
            case "w:style":
                self._style = _attribute(attributes, "w:styleId")
            case "w:basedOn":
                self._based_on[self._style] = _attribute(attributes, "w:val")
            case "w:vanish" if _attribute(attributes, "w:val").casefold() not in _OFF:
                self._hiding.add(self._style)

    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...

    def hidden(self) -> frozenset[str]:
        return frozenset(style for style in {*self._hiding, *self._based_on} if self._hides(style))

    def _hides(self, style: str) -> bool:
        seen: set[str] = set()
        while style and style not in seen:
            if style in self._hiding:
                return True
            seen.add(style)
            style = self._based_on.get(style, "")
        return False


def hidden_styles(package: Package, shape: Shape) -> frozenset[str]:
    reader = _StylesReader()
    for part in shape.targets("styles"):
        if part in package:
            xml.parse(package.chunks(part), reader, part=part)
    return reader.hidden()


_SENTENCES = {
    FindingCode.COMMENTS: ("comment", "comments", "in the margin; they are filed with the document"),
    FindingCode.TRACKED_CHANGES: ("tracked change", "tracked changes", "not yet accepted or rejected"),
    FindingCode.FORMAT_CHANGES: (
        "tracked change of formatting",
        "tracked changes of formatting",
        "not yet accepted",
    ),
    FindingCode.HIDDEN_TEXT: (
        "piece of hidden text",
        "pieces of hidden text",
        "that Word does not show or print",
    ),
    FindingCode.FAINT_TEXT: ("piece of text", "pieces of text", "too small or too pale to be read on paper"),
    FindingCode.ALTERNATE_TEXT: (
        "box",
        "boxes",
        "whose text differs between newer and older programs; both are shown",
    ),
    FindingCode.OUTSIDE_FIELDS: (
        "field",
        "fields",
        "that can fetch content from elsewhere when the document is updated",
    ),
}


def _findings_of(tally: _Tally) -> list[Finding]:
    findings = [
        Finding(code, tally.counts[code], f"{counted(tally.counts[code], one, many)} {rest}.")
        for code, (one, many, rest) in _SENTENCES.items()
        if tally.counts[code]
    ]
    if tally.invisible:
        findings.append(invisible_sentence(tally.invisible))
    return findings


def _luggage(package: Package, shape: Shape, links: list[str]) -> list[Finding]:
    return [finding for finding in _luggage_or_nothing(package, shape, links) if finding.count]


def _luggage_or_nothing(package: Package, shape: Shape, links: list[str]) -> list[Finding]:
    links = [*(relation.target for relation in shape.relations if relation.external), *links]
    embedded = sorted(
        {*shape.targets("package"), *(p for p in package.names if "embeddings/" in p.casefold())}
    )
    _refuse_programs(package, shape)
    hidden = len(ooxml.unreferenced(package, shape))
    custom, thumbnails = len(shape.targets("customXml")), len(shape.targets("thumbnail"))
    signatures = len(shape.targets("signature"))
    return [
        links_finding(links),
        _finding(
            FindingCode.EMBEDDED_FILES, len(embedded), "embedded file", "that opens from inside the document"
        ),
        _finding(FindingCode.CUSTOM_DATA, custom, "block", "of custom data that the page does not show"),
        _finding(
            FindingCode.THUMBNAIL,
            thumbnails,
            "preview picture",
            "saved with the file; it may show an earlier state",
        ),
        _finding(FindingCode.SIGNATURES, signatures, "digital signature", "in the file"),
        _finding(
            FindingCode.UNREFERENCED_PARTS, hidden, "part", "inside the file that the document never uses"
        ),
    ]


def _finding(code: FindingCode, count: int, one: str, rest: str) -> Finding:
    return Finding(code, count, f"{counted(count, one)} {rest}.")


def _refuse_programs(package: Package, shape: Shape) -> None:
    for part in package.names:
        start = next(package.chunks(part), b"")[:8]
        program = start.startswith((b"MZ", b"\x7fELF", b"\xd0\xcf\x11\xe0")) and not shape.is_xml(part)
        if program or _EXECUTABLE.search(part):
            raise Refused(
                Reason.EMBEDDED_PROGRAM,
                f"The Word file carries another program or an old Office file inside, {quoted(part)}. "
                "Remove it in Word, or print the document to PDF, and send the new file.",
            )


_PROPERTIES = {
    "creator": "author",
    "lastModifiedBy": "last changed by",
    "title": "title",
    "subject": "subject",
    "description": "comments",
    "keywords": "keywords",
    "category": "category",
    "Company": "company",
    "Manager": "manager",
}


class _PropertiesReader:
    def __init__(self) -> None:
        self._now = ""
        self.found: dict[str, str] = {}
        self.custom = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._now = tag.rpartition("}")[2]
        self.custom += self._now == "property" and "name" in attributes

    def end(self, tag: str) -> None:
        self._now = ""

    def data(self, text: str) -> None:
        if self._now in _PROPERTIES and text.strip():
            label = _PROPERTIES[self._now]
            self.found[label] = (self.found.get(label, "") + text)[:500]


def _metadata(package: Package, shape: Shape) -> list[Finding]:
    reader = _PropertiesReader()
    for kind in ("core-properties", "extended-properties", "custom-properties"):
        for part in shape.targets(kind):
            if part in package:
                xml.parse(package.chunks(part), reader, part=part)
    findings = []
    if reader.found:
        findings.append(metadata_finding(reader.found))
    if reader.custom:
        sentence = f"{counted(reader.custom, 'custom property', 'custom properties')} in the file's details."
        findings.append(Finding(FindingCode.CUSTOM_DATA, reader.custom, sentence))
    return findings


def metadata_finding(found: dict[str, str]) -> Finding:
    told = "; ".join(f"{label} {quoted(text, 60)}" for label, text in found.items())
    return Finding(FindingCode.METADATA, len(found), f"The file's details name: {told}.")
