"""The shape of a Word package: its parts, what they claim to be, and what they point at."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from reviews.formats import xml
from reviews.formats.links import is_web_link
from reviews.formats.report import Reason, Refused, quoted
from reviews.formats.zips import Package

CONTENT_TYPES = "[Content_Types].xml"
MAX_XML = 48 * 1024 * 1024

_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_PREFIXES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "r",
    "http://purl.oclc.org/ooxml/officeDocument/relationships": "r",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
    "urn:schemas-microsoft-com:office:office": "o",
    "urn:schemas-microsoft-com:vml": "v",
}

_FORBIDDEN_KINDS = {
    "vbaproject": (Reason.MACRO, "macros"),
    "wordvbadata": (Reason.MACRO, "macros"),
    "macroenabled": (Reason.MACRO, "macros"),
    "keymapcustomizations": (Reason.MACRO, "changed keyboard commands"),
    "activex": (Reason.ACTIVE, "an ActiveX control"),
    "oleobject": (Reason.EMBEDDED_PROGRAM, "an embedded OLE object"),
    "afchunk": (Reason.EMBEDDED_DOCUMENT, "another document pasted in unopened (altChunk)"),
    "subdocument": (Reason.EMBEDDED_DOCUMENT, "a sub-document"),
    "attachedtoolbars": (Reason.MACRO, "changed toolbars"),
}
_FORBIDDEN_RELATIONS = _FORBIDDEN_KINDS | {"control": (Reason.ACTIVE, "an ActiveX control")}
_REMEDY = "Remove it in Word, or print the document to PDF, and send the new file."


@dataclass(frozen=True)
class Relation:
    source: str
    kind: str
    target: str
    external: bool


@dataclass
class Shape:
    """Everything known of the package before a part's content is read."""

    types: dict[str, str] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)

    def type_of(self, part: str) -> str:
        extension = part.rpartition(".")[2].casefold()
        return self.types.get("/" + part.casefold()) or self.types.get("." + extension, "")

    def is_xml(self, part: str) -> bool:
        kind = self.type_of(part)
        return kind.endswith(("+xml", "/xml")) or part.casefold().endswith((".xml", ".rels", ".vml"))

    def targets(self, kind: str) -> list[str]:
        return [
            relation.target for relation in self.relations if relation.kind == kind and not relation.external
        ]

    @property
    def main(self) -> str:
        return next(part for part in self.targets("officeDocument") if self.type_of(part) == _MAIN)


def short(tag: str) -> str:
    """`{http://…/main}p` as `w:p`; a name of a namespace we do not read keeps no prefix."""
    namespace, _, local = tag.rpartition("}")
    prefix = _PREFIXES.get(namespace[1:])
    return f"{prefix}:{local}" if prefix else local


def read_shape(package: Package) -> Shape:
    """Read types and relations. Raises Refused for macros, controls and outside content."""
    shape = Shape()
    if CONTENT_TYPES not in package:
        raise Refused(
            Reason.MISMATCH,
            "The name says this is a Word document, but the content is another kind of archive. "
            "Send the documents in it one by one.",
        )
    _read_types(package, shape)
    for part in package.names:
        if part.casefold().endswith(".rels"):
            shape.relations.extend(_read_relations(package, part))
    _check_types(package, shape)
    for relation in shape.relations:
        _check_relation(relation)
    _check_main(package, shape)
    return shape


def unreferenced(package: Package, shape: Shape) -> list[str]:
    """Parts that nothing in the document points at: invisible luggage."""
    wanted = {relation.target.casefold() for relation in shape.relations}
    return [
        part
        for part in package.names
        if part != CONTENT_TYPES and not part.casefold().endswith(".rels") and part.casefold() not in wanted
    ]


@dataclass
class _TypesSink:
    shape: Shape

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local, kind = tag.rpartition("}")[2], attributes.get("ContentType", "").strip().casefold()
        kind = kind.partition(";")[0].strip()
        if local == "Override":
            self._add(attributes.get("PartName", "").casefold(), kind)
        elif local == "Default":
            self._add("." + attributes.get("Extension", "").casefold(), kind)

    def _add(self, key: str, kind: str) -> None:
        if self.shape.types.setdefault(key, kind) != kind:
            raise Refused(
                Reason.DUPLICATE, f"The Word file gives {quoted(key)} two meanings. Save it again in Word."
            )

    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...


@dataclass
class _RelationsSink:
    source: str
    found: list[Relation] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition("}")[2] != "Relationship":
            return
        external = attributes.get("TargetMode", "").strip().casefold() == "external"
        target = attributes.get("Target", "").strip()
        if not external:
            target = self._inside(target)
        kind = attributes.get("Type", "").rstrip("/").rpartition("/")[2]
        self.found.append(Relation(self.source, kind, target, external))

    def _inside(self, target: str) -> str:
        """The part that is meant. Anything that could leave the package is refused as outside content."""
        path = unquote(target.partition("#")[0])
        if "\\" in path or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", path):
            raise _outside(Relation(self.source, "", target, external=True))
        return posixpath.normpath(posixpath.join("/", posixpath.dirname(self.source), path)).lstrip("/")

    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...


def _read_types(package: Package, shape: Shape) -> None:
    xml.parse(package.chunks(CONTENT_TYPES), _TypesSink(shape), part=CONTENT_TYPES)


def _read_relations(package: Package, part: str) -> Iterator[Relation]:
    folder, name = posixpath.split(part)
    source = posixpath.join(posixpath.dirname(folder), name[: -len(".rels")])
    sink = _RelationsSink(source)
    xml.parse(package.chunks(part), sink, part=part)
    yield from sink.found


def _check_types(package: Package, shape: Shape) -> None:
    for text in (*shape.types.values(), *package.names):
        _refuse_kind(text, _FORBIDDEN_KINDS)
    if sum(package.entries[part].size for part in package.names if shape.is_xml(part)) > MAX_XML:
        raise Refused(
            Reason.TOO_COMPLEX, "The document is too large to be read safely. Split it and send the parts."
        )


def _refuse_kind(text: str, forbidden: dict[str, tuple[Reason, str]]) -> None:
    flat = re.sub(r"[^a-z]", "", text.casefold())
    for mark, (reason, what) in forbidden.items():
        if mark in flat:
            raise Refused(reason, f"The Word file contains {what}, which is not accepted. {_REMEDY}")


def _check_relation(relation: Relation) -> None:
    flat = re.sub(r"[^a-z]", "", relation.kind.casefold())
    if flat in _FORBIDDEN_RELATIONS or any(mark in flat for mark in _FORBIDDEN_KINDS):
        _refuse_kind(relation.kind, _FORBIDDEN_RELATIONS)
    if not relation.external:
        return
    if flat == "attachedtemplate":
        raise Refused(
            Reason.TEMPLATE,
            f"The document fetches its template from {quoted(relation.target)} each time it is opened. "
            "In Word, attach the Normal template instead (Developer, Document Template), save, and send the "
            "new file.",
        )
    if flat != "hyperlink" or not is_web_link(relation.target):
        raise _outside(relation)


def _outside(relation: Relation) -> Refused:
    what = "links to a file or program" if relation.kind == "hyperlink" else "loads something"
    return Refused(
        Reason.EXTERNAL,
        f"The document {what} outside itself: {quoted(relation.target)}. "
        "Remove the link or paste the content in, save, and send the new file.",
    )


def _check_main(package: Package, shape: Shape) -> None:
    mains = [
        part for part in shape.targets("officeDocument") if part in package and shape.type_of(part) == _MAIN
    ]
    typed = [part for part in package.names if shape.type_of(part) == _MAIN]
    if any("template.main+xml" in kind for kind in shape.types.values()):
        raise Refused(
            Reason.TEMPLATE,
            "This is a Word template under the name of a document. Save it as .docx and send that.",
        )
    if not typed:
        raise Refused(
            Reason.MISMATCH,
            "The name says this is a Word document, but the content is another kind of file. "
            "Send it under the name and in the format it was made in.",
        )
    if len(mains) != 1 or len(typed) != 1:
        raise Refused(
            Reason.DUPLICATE,
            "The file holds more than one main document, or none that is reachable, so programs could "
            "disagree on what "
            "it says. Save the document again in Word and send the new file.",
        )
