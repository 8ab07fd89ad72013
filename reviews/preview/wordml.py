"""Rewriting a Word part so that the converter shows what it would otherwise leave out.

mammoth shows the document as if every change were accepted and skips what it does not know. A lawyer approves
all the bytes, so deletions, hidden text, fields, formulas and text boxes are turned into plain runs before it
reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree
from mammoth.docx.dingbats import dingbats

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
V = "urn:schemas-microsoft-com:vml"
WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
PIC = "http://schemas.openxmlformats.org/drawingml/2006/picture"
W14 = "http://schemas.microsoft.com/office/word/2010/wordml"

Element = etree._Element

_STRICT = {
    b"http://purl.oclc.org/ooxml/wordprocessingml/main": W.encode(),
    b"http://purl.oclc.org/ooxml/drawingml/main": A.encode(),
    b"http://purl.oclc.org/ooxml/officeDocument/math": M.encode(),
    b"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing": WP.encode(),
    b"http://purl.oclc.org/ooxml/drawingml/picture": PIC.encode(),
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": (
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    ),
}

INSERTED, DELETED, HIDDEN = "CsIns", "CsDel", "CsHidden"
STYLE_MAP = "\n".join(
    [
        f"r.{INSERTED} => ins.cs-ins",
        f"r.{DELETED} => del.cs-del",
        f"r.{HIDDEN} => span.cs-hidden",
        f"r.{INSERTED}{HIDDEN} => ins.cs-ins > span.cs-hidden",
        f"r.{DELETED}{HIDDEN} => del.cs-del > span.cs-hidden",
        "r.CsNumber => span.cs-number",
        *(f"p.CsLevel{level} => p.cs-level{level}:fresh" for level in range(1, 10)),
        "p[style-name='Title'] => h1:fresh",
        "p[style-name='Subtitle'] => h2:fresh",
        "comment-reference => sup",
        "u => u",
        "strike => s",
    ]
)

_OFF = frozenset({"0", "false", "off"})
_ADDING, _REMOVING = ("ins", "moveTo"), ("del", "moveFrom")
_WRAPPERS = ("fldSimple", "dir", "bdo", "ruby", "rubyBase", "rt")


def w(name: str) -> str:
    return f"{{{W}}}{name}"


def read(data: bytes) -> Element:
    """Parse a part that `check` accepted: it has no DTD, and nothing is fetched or expanded here."""
    for strict, usual in _STRICT.items():
        data = data.replace(strict, usual)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    return etree.fromstring(data, parser)


def reveal(root: Element, *, hidden_styles: frozenset[str]) -> None:
    """Make everything in the part visible to the converter, marking what a printed page would not show."""
    _choose_branches(root)
    _simplify_drawings(root)
    _spell_formulas(root)
    _spell_symbols(root)
    _unwrap_all(root, (w(name) for name in _WRAPPERS))
    for box in list(root.iter(f"{{{W14}}}checkbox")):
        _remove(box)
    _mark_changes(root)
    _mark_hidden(root, hidden_styles)
    _mend(root)


def style(run: Element, mark: str) -> None:
    """Give a run one of our marks; a second mark joins the first."""
    properties = _child_first(run, "rPr")
    named = properties.find(w("rStyle"))
    if named is None:
        named = etree.Element(w("rStyle"))
        properties.insert(0, named)
    before = named.get(w("val"), "")
    if before in {INSERTED, DELETED} and mark == HIDDEN:
        mark = before + HIDDEN
    named.set(w("val"), mark)


def new_run(text: str, mark: str = "") -> Element:
    run = etree.Element(w("r"))
    if mark:
        style(run, mark)
    etree.SubElement(run, w("t")).text = text
    return run


def is_on(element: Element | None) -> bool:
    return element is not None and element.get(w("val"), "").lower() not in _OFF


def text_in(element: Element) -> str:
    return "".join(piece.text or "" for piece in element.iter(w("t"), f"{{{A}}}t", f"{{{M}}}t"))


def _choose_branches(root: Element) -> None:
    """Show the newer of two branches, and the older one too where its words differ."""
    for both in reversed(list(root.iter(f"{{{MC}}}AlternateContent"))):
        newer, older = both.find(f"{{{MC}}}Choice"), both.find(f"{{{MC}}}Fallback")
        shown = [branch for branch in (newer, older) if branch is not None]
        if newer is not None and older is not None and _words(newer) == _words(older):
            shown = [newer if _has_pictures(newer) or not _has_pictures(older) else older]
        _replace(both, [child for branch in shown for child in branch])


def _words(element: Element) -> str:
    return "".join(text_in(element).split())


def _has_pictures(element: Element) -> bool:
    return any(True for _ in element.iter(f"{{{PIC}}}pic", f"{{{V}}}imagedata"))


def _simplify_drawings(root: Element) -> None:
    """Bring text boxes and grouped pictures to where the converter looks for them."""
    for drawing in reversed(list(root.iter(w("drawing")))):
        boxes = [_boxed(content) for content in drawing.iter(w("txbxContent"))]
        pictures = [_inline(picture, drawing) for picture in drawing.iter(f"{{{PIC}}}pic")]
        labels = [new_run(text_in(p)) for p in drawing.iter(f"{{{A}}}p") if text_in(p)]
        if boxes or pictures or labels:
            _replace(drawing, [*pictures, *boxes, *(child for run in labels for child in run)])


def _boxed(content: Element) -> Element:
    picture = etree.Element(w("pict"))
    etree.SubElement(picture, f"{{{V}}}textbox").append(content)
    return picture


def _inline(picture: Element, drawing: Element) -> Element:
    plain = etree.Element(w("drawing"))
    inline = etree.SubElement(plain, f"{{{WP}}}inline")
    described = drawing.find(f".//{{{WP}}}docPr")
    if described is not None:
        etree.SubElement(inline, f"{{{WP}}}docPr", {"descr": described.get("descr", "")})
    graphic = etree.SubElement(inline, f"{{{A}}}graphic")
    etree.SubElement(graphic, f"{{{A}}}graphicData").append(picture)
    return plain


def _spell_formulas(root: Element) -> None:
    for formula in list(root.iter(f"{{{M}}}oMath")):
        if formula.getparent() is not None:
            _replace(formula, [new_run(text_in(formula))])
    _unwrap_all(root, [f"{{{M}}}oMathPara"])


def _spell_symbols(root: Element) -> None:
    """A symbol of a font the converter does not know becomes a visible box with its code."""
    for symbol in list(root.iter(w("sym"))):
        font, code = symbol.get(w("font"), ""), symbol.get(w("char"), "")
        if not _is_known(font, code):
            text = etree.Element(w("t"))
            text.text = f"⟦{font} {code}⟧"
            _replace(symbol, [text])


def _is_known(font: str, code: str) -> bool:
    try:
        return (font, int(code, 16)) in dingbats or (font, int(code[-2:], 16)) in dingbats
    except ValueError:
        return False


def _mark_changes(root: Element) -> None:
    for row in root.iter(w("tr")):
        _mark_row(row)
    for paragraph in root.iter(w("p")):
        _mark_end(paragraph)
    for names, mark in ((_ADDING, INSERTED), (_REMOVING, DELETED)):
        for change in root.iter(*(w(name) for name in names)):
            for run in change.iter(w("r")):
                style(run, mark)
    for text in root.iter(w("delText")):
        text.tag = w("t")
    _unwrap_all(root, (w(name) for name in (*_ADDING, *_REMOVING)))


def _mark_row(row: Element) -> None:
    properties = row.find(w("trPr"))
    if properties is None:
        return
    for name, mark in (("ins", INSERTED), ("del", DELETED)):
        for change in properties.findall(w(name)):
            properties.remove(change)
            for run in row.iter(w("r")):
                style(run, mark)


def _mark_end(paragraph: Element) -> None:
    """A deleted paragraph end joins two paragraphs once accepted: it is shown as a struck-out pilcrow."""
    properties = paragraph.find(f"{w('pPr')}/{w('rPr')}")
    if properties is None:
        return
    for name in (*_ADDING, *_REMOVING):
        for change in properties.findall(w(name)):
            properties.remove(change)
            if name in _REMOVING:
                paragraph.append(new_run("¶", DELETED))


def _mark_hidden(root: Element, hidden_styles: frozenset[str]) -> None:
    for paragraph in root.iter(w("p")):
        named = paragraph.find(f"{w('pPr')}/{w('pStyle')}")
        if named is not None and named.get(w("val")) in hidden_styles:
            for run in paragraph.iter(w("r")):
                style(run, HIDDEN)
    for run in root.iter(w("r")):
        properties = run.find(w("rPr"))
        if properties is not None and _hides(properties, hidden_styles):
            style(run, HIDDEN)


def _hides(properties: Element, hidden_styles: frozenset[str]) -> bool:
    named = properties.find(w("rStyle"))
    by_style = named is not None and named.get(w("val")) in hidden_styles
    return by_style or any(is_on(properties.find(w(name))) for name in ("vanish", "webHidden", "specVanish"))


def _mend(root: Element) -> None:
    """Drop attributes on which the converter would stumble."""
    for span in list(root.iter(w("gridSpan"))):
        if not span.get(w("val"), "").isdecimal():
            _remove(span)
    for reference in list(root.iter(*(w(f"{kind}Reference") for kind in ("footnote", "endnote", "comment")))):
        if reference.get(w("id")) is None:
            _remove(reference)


def _child_first(parent: Element, name: str) -> Element:
    child = parent.find(w(name))
    if child is None:
        child = etree.Element(w(name))
        parent.insert(0, child)
    return child


def _unwrap_all(root: Element, tags: Iterable[str]) -> None:
    for element in reversed(list(root.iter(*tags))):
        if element.getparent() is not None:
            _replace(element, list(_content_of(element)))


def _content_of(element: Element) -> Iterator[Element]:
    return (child for child in element if not str(child.tag).endswith("Pr"))


def _replace(old: Element, new: list[Element]) -> None:
    parent = old.getparent()
    if parent is None:
        return
    at = parent.index(old)
    parent[at : at + 1] = new


def _remove(element: Element) -> None:
    _replace(element, [])
