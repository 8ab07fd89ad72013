"""Files made for the tests: small honest ones, and the means to make them dishonest."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from reviews.formats import Inspection, Reason, Refused, check

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = (
    f'xmlns:w="{W}" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"

TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>
<Override PartName="/word/document.xml" ContentType="{main}"/>{more}</Types>"""
RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{more}</Relationships>"""
ROOT = f'<Relationship Id="rId1" Type="{REL}/officeDocument" Target="word/document.xml"/>'


def relation(kind: str, target: str, *, key: str = "rId9", external: bool = False) -> str:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="{key}" Type="{REL}/{kind}" Target="{target}"{mode}/>'


def override(part: str, kind: str) -> str:
    return f'<Override PartName="/{part}" ContentType="{kind}"/>'


def paragraph(text: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def parts(
    body: str = "",
    *,
    types: str = "",
    root: str = "",
    relations: str = "",
    main: str = MAIN,
    more: Mapping[str, str | bytes] | None = None,
) -> dict[str, bytes]:
    made: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES.format(main=main, more=types),
        "_rels/.rels": RELATIONS.format(more=ROOT + root),
        "word/_rels/document.xml.rels": RELATIONS.format(more=relations),
        "word/document.xml": f'<?xml version="1.0" encoding="UTF-8"?><w:document {NAMESPACES}><w:body>'
        f"{body or paragraph('Dear Sir or Madam')}</w:body></w:document>",
        **(more or {}),
    }
    return {name: data.encode() if isinstance(data, str) else data for name, data in made.items()}


def zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(body: str = "", **how: Any) -> bytes:
    return zipped(parts(body, **how))


def raw_zip(
    entries: list[tuple[bytes, bytes]],
    *,
    method: int = 8,
    flags: int = 0,
    local: Callable[[dict[str, int]], None] = lambda fields: None,
    central: Callable[[dict[str, int]], None] = lambda fields: None,
    offsets: Callable[[list[int]], list[int]] = lambda found: found,
    comment: bytes = b"",
    gap: bytes = b"",
    local_name: Callable[[bytes], bytes] = lambda name: name,
) -> bytes:
    """A ZIP written by hand, so that each field may lie."""
    out, starts, facts = b"", [], []
    for name, data in entries:
        packed = zlib.compress(data, wbits=-15) if method == 8 else data
        fields = {
            "flags": flags,
            "method": method,
            "crc": zlib.crc32(data),
            "packed": len(packed),
            "size": len(data),
            "mode": 0,
            "made_by": 20,
        }
        facts.append((name, dict(fields)))
        local(fields)
        starts.append(len(out))
        written = local_name(name)
        out += struct.pack(
            "<4s5H3L2H",
            *(b"PK\x03\x04", 20, fields["flags"], fields["method"], 0, 0),
            *(fields["crc"], fields["packed"], fields["size"], len(written), 0),
        )
        out += written + packed + gap
    directory = b""
    for (name, fields), start in zip(facts, offsets(starts), strict=True):
        central(fields)
        directory += struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\x01\x02", fields["made_by"], 20, fields["flags"], fields["method"], 0, 0),
            *(fields["crc"], fields["packed"], fields["size"], len(name), 0, 0, 0, 0, fields["mode"], start),
        )
        directory += name
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, len(facts), len(facts), len(directory), len(out), len(comment)
    )
    return out + directory + end + comment


def honest_entries() -> list[tuple[bytes, bytes]]:
    return [(name.encode(), data) for name, data in parts().items()]


def pdf(
    change: Callable[[pikepdf.Pdf], object] = lambda document: None, *, pages: int = 1, **save: Any
) -> bytes:
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(300, 200))
    change(document)
    out = io.BytesIO()
    document.save(out, **save)
    return out.getvalue()


def raw_pdf(*objects: bytes) -> bytes:
    """A PDF written by hand: object 1 is the catalog. The table of offsets is right, whatever the rest is."""
    out, at = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in at)
    size = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return (
        bytes(out)
        + head
        + table
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    )


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"


def examine(name: str, data: bytes) -> Inspection:
    return check(name, io.BytesIO(data), len(data))


def refusal(name: str, data: bytes) -> Refused:
    """The refusal of this file, held to what every refusal owes its reader: a sentence with a way out."""
    with pytest.raises(Refused) as caught:
        examine(name, data)
    sentence = caught.value.sentence
    assert isinstance(caught.value.code, Reason)
    assert sentence.endswith(".") and len(sentence) > 40 and sentence.isprintable()
    return caught.value


def found(inspection: Inspection) -> dict[str, int]:
    return {finding.code.value: finding.count for finding in inspection.findings}
