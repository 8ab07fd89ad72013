"""A Word file as HTML. `convert` runs in the confined process.

What is filed must be visible or listed: after converting, every word of the file is looked for in the result,
and what the converter could not place is added at the end.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from html import escape, unescape
from typing import Any, BinaryIO

import mammoth
from lxml import etree

from reviews.formats import docx, docx_text, ooxml
from reviews.formats.characters import shown
from reviews.formats.ooxml import Shape
from reviews.formats.report import counted
from reviews.formats.zips import Package
from reviews.preview import numbers, wordml
from reviews.preview.pictures import trouble_with
from reviews.preview.sanitize import OUR_CLASSES, sanitize
from reviews.preview.wordml import w

MAX_PART = 12 * 1024 * 1024
MAX_PICTURE = 16 * 1024 * 1024

_BODY_KINDS = ("footnotes", "endnotes", "comments")
_COPIED_KINDS = ("styles", "numbering")
_BLOCK = re.compile(r"</?(?:p|h[1-6]|li|ul|ol|td|th|tr|table|div|dl|dt|dd|br|section|img)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"\w+")
_TOO_LARGE = "The document is too large for the full preview, so its text is shown without layout."
_FAILED = "The document could not be laid out, so its text is shown without layout."


def convert(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    package = Package(file)
    shape = ooxml.read_shape(package)
    notes: list[str] = []
    body = _laid_out(package, shape, notes)
    return {"notes": notes}, _complete(package, shape, _as_text(package, shape) if body is None else body)


def convert_plainly(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The words without layout, for a document on which the layout takes too long."""
    package = Package(file)
    shape = ooxml.read_shape(package)
    return {"notes": [_TOO_LARGE]}, _complete(package, shape, _as_text(package, shape))


def _complete(package: Package, shape: Shape, body: str) -> bytes:
    sections = [*_headers(package, shape, "header"), body, *_headers(package, shape, "footer")]
    sections += _left_over(package, shape, "".join(sections))
    return "\n".join(sections).encode()


def _laid_out(package: Package, shape: Shape, notes: list[str]) -> str | None:
    body_parts = [shape.main, *_parts(package, shape, _BODY_KINDS)]
    if any(package.entries[part].size > MAX_PART for part in body_parts):
        notes.append(_TOO_LARGE)
        return None
    try:
        html = _mammoth(_rewritten(package, shape, body_parts))
    except Exception:  # noqa: BLE001  # whatever trips the converter must not hide a document from its reviewer
        notes.append(_FAILED)
        return None
    return sanitize(html, classes=OUR_CLASSES)


def _mammoth(file: BinaryIO) -> str:
    result = mammoth.convert_to_html(
        file,
        style_map=wordml.STYLE_MAP,
        include_embedded_style_map=False,  # a file may carry a map that drops whatever its author likes
        external_file_access=False,
        convert_image=_picture,
    )
    html: str = result.value
    return re.sub(r'<input type="checkbox"( checked="checked")? ?/>', lambda m: "☒" if m[1] else "☐", html)


def _picture(image: Any) -> list[Any]:
    with image.open() as stream:
        data = stream.read(MAX_PICTURE + 1)
    trouble = trouble_with(data, image.content_type or "")
    if trouble:
        words = f"[Picture: {trouble}{': ' + image.alt_text if image.alt_text else ''}]"
        return [mammoth.html.element("em", {}, [mammoth.html.text(words)])]
    shown_as = mammoth.images.data_uri(image)
    return list(shown_as)


def _rewritten(package: Package, shape: Shape, body_parts: list[str]) -> BinaryIO:
    """A copy of the package for the converter's eyes only, in which everything is visible."""
    hidden = docx.hidden_styles(package, shape)
    styles, numbering = (_tree(package, shape, kind) for kind in ("styles", "numbering"))
    counting, headings = numbers.read(numbering, styles), _headings(styles)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as copy:
        for part in _needed(package, shape):
            data = package.read(part, limit=ooxml.MAX_XML)
            if part in body_parts:
                root = wordml.read(data)
                wordml.reveal(root, hidden_styles=hidden)
                numbers.spell_out(root, counting, headings=headings)
                data = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
            copy.writestr(part, data)
    out.seek(0)
    return out


def _needed(package: Package, shape: Shape) -> list[str]:
    wanted = {
        ooxml.CONTENT_TYPES,
        shape.main,
        *_parts(package, shape, (*_BODY_KINDS, *_COPIED_KINDS, "image")),
    }
    return [part for part in package.names if part in wanted or part.endswith(".rels")]


def _tree(package: Package, shape: Shape, kind: str) -> etree._Element | None:
    parts = _parts(package, shape, (kind,))
    return wordml.read(package.read(parts[0], limit=ooxml.MAX_XML)) if parts else None


def _headings(styles: etree._Element | None) -> frozenset[str]:
    found = set()
    for style in styles.iter(w("style")) if styles is not None else ():
        name = style.find(w("name"))
        if name is not None and re.match(r"(?i)heading \d|title$", name.get(w("val"), "")):
            found.add(style.get(w("styleId"), ""))
    return frozenset(found)


def _parts(package: Package, shape: Shape, kinds: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(part for kind in kinds for part in shape.targets(kind) if part in package))


def _as_text(package: Package, shape: Shape) -> str:
    lines = docx_text.paragraphs(package, shape.main, everything=True)
    return "\n".join(f"<p>{escape(shown(line))}</p>" for line in lines if line.strip())


def _headers(package: Package, shape: Shape, kind: str) -> list[str]:
    texts = []
    for part in _parts(package, shape, (kind,)):
        lines = [line for line in docx_text.paragraphs(package, part, everything=True) if line.strip()]
        if lines and lines not in texts:
            texts.append(lines)
    title = "Page header" if kind == "header" else "Page footer"
    return [_section(title, lines) for lines in texts]


def _left_over(package: Package, shape: Shape, html: str) -> list[str]:
    """Every word of the file that the preview does not show yet, part by part."""
    there = _words_of(html)
    left = []
    for part in _reading_order(package, shape):
        lines = [
            line for line in docx_text.paragraphs(package, part, everything=True) if _missing(line, there)
        ]
        left.extend(lines)
    if not left:
        return []
    title = f"Also in this file: {counted(len(left), 'piece')} of text that the layout above does not show"
    return [_section(title, left)]


def _reading_order(package: Package, shape: Shape) -> list[str]:
    parts = [part for part in package.names if shape.is_xml(part) and _may_hold_text(part)]
    return sorted(parts, key=lambda part: part != shape.main)


def _may_hold_text(part: str) -> bool:
    return not part.casefold().endswith(".rels") and part != ooxml.CONTENT_TYPES


def _missing(line: str, there: Counter[str]) -> bool:
    wanted = Counter(_WORD.findall(shown(line)))
    if all(there[word] >= count for word, count in wanted.items()):
        there.subtract(wanted)
        return False
    return True


def _words_of(html: str) -> Counter[str]:
    return Counter(_WORD.findall(unescape(_TAG.sub("", _BLOCK.sub(" ", html)))))


def _section(title: str, lines: list[str]) -> str:
    paragraphs = "".join(f"<p>{escape(shown(line))}</p>" for line in lines)
    return f'<section class="cs-part"><h2 class="cs-part-title">{escape(title)}</h2>{paragraphs}</section>'
