"""Archives that lie. Each is refused for its own reason, and quickly."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
from typing import Any

import pytest

from reviews.formats import Reason
from reviews.formats.zips import MAX_ENTRIES, Package
from tests.reviews.formats.made import docx, examine, honest_entries, parts, raw_zip, refusal, zipped

MEGABYTE = 1024 * 1024


def with_entry(name: bytes, data: bytes = b"x", **how: Any) -> bytes:
    return raw_zip([*honest_entries(), (name, data)], **how)


def test_an_archive_written_by_hand_is_accepted_when_it_does_not_lie() -> None:
    assert examine("a.docx", raw_zip(honest_entries())).word_count == 4


def test_stored_entries_are_as_good_as_deflated_ones() -> None:
    assert examine("a.docx", zipped(parts(), zipfile.ZIP_STORED)).word_count == 4


def test_an_archive_written_as_a_stream_is_accepted() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts().items():
            archive.writestr(name, data)
    assert examine("a.docx", pipe.data).word_count == 4


@pytest.mark.parametrize(
    "name",
    [
        b"../../etc/passwd", b"/etc/passwd", b"word/../../x", b"word\\..\\x", b"C:/x", b"word//x", b"./x",
        b"x\0.xml", b"", b"word/\x1b[31m", b"\xff\xfe", b"word/" + b"x" * 300,
    ],
)  # fmt: skip
def test_a_part_that_would_land_outside_is_refused(name: bytes) -> None:
    assert refusal("a.docx", with_entry(name)).code is Reason.ENTRY_NAME


def test_a_link_to_another_file_is_refused() -> None:
    def link(fields: dict[str, int]) -> None:
        fields["made_by"], fields["mode"] = 3 << 8 | 20, (stat.S_IFLNK | 0o777) << 16

    assert (
        refusal("a.docx", with_entry(b"word/link.xml", b"/etc/passwd", central=link)).code
        is Reason.ENTRY_NAME
    )


@pytest.mark.parametrize("twin", [b"word/document.xml", b"WORD/Document.XML", b"word/document.xml/"])
def test_a_part_that_is_there_twice_is_refused(twin: bytes) -> None:
    data = with_entry(twin, b"" if twin.endswith(b"/") else b"<x/>")
    assert refusal("a.docx", data).code is Reason.DUPLICATE


@pytest.mark.parametrize("flag", [1, 64, 8192])
def test_an_encrypted_part_is_refused(flag: int) -> None:
    assert refusal("a.docx", raw_zip(honest_entries(), flags=flag)).code is Reason.ENCRYPTED


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 95, 99])
def test_an_unusual_packing_is_refused(method: int) -> None:
    def other(fields: dict[str, int]) -> None:
        fields["method"] = method

    assert refusal("a.docx", raw_zip(honest_entries(), local=other, central=other)).code is Reason.ARCHIVE


@pytest.mark.parametrize("field", ["crc", "packed", "size", "method", "flags"])
def test_two_headers_that_disagree_are_refused(field: str) -> None:
    def lie(fields: dict[str, int]) -> None:
        fields[field] += 8 if field == "method" else 2

    assert refusal("a.docx", raw_zip(honest_entries(), local=lie)).code in {Reason.ARCHIVE, Reason.DAMAGED}


def test_two_names_for_one_part_are_refused() -> None:
    data = raw_zip(honest_entries(), local_name=lambda name: name[::-1])
    assert refusal("a.docx", data).code is Reason.ARCHIVE


@pytest.mark.parametrize("change", [-1, 1])
def test_a_lie_about_the_size_in_both_headers_is_refused(change: int) -> None:
    def lie(fields: dict[str, int]) -> None:
        fields["size"] += change

    refused = refusal("a.docx", raw_zip(honest_entries(), local=lie, central=lie))
    assert refused.code is Reason.DAMAGED and "than it claims" in refused.sentence


def test_a_wrong_checksum_is_refused() -> None:
    def lie(fields: dict[str, int]) -> None:
        fields["crc"] ^= 1

    refused = refusal("a.docx", raw_zip(honest_entries(), local=lie, central=lie))
    assert refused.code is Reason.DAMAGED and "checksum" in refused.sentence


def test_entries_that_share_their_bytes_are_refused() -> None:
    shared = [(f"word/{number}.xml".encode(), b"<x/>") for number in range(5)]
    data = raw_zip(
        [*honest_entries(), *shared], offsets=lambda found: [*found[:-4], *[found[-5]] * 4], local_name=len_6
    )
    assert refusal("a.docx", data).code in {Reason.OVERLAP, Reason.ARCHIVE}


def len_6(name: bytes) -> bytes:
    return b"word/0.xml" if name.startswith(b"word/") and name[5:6].isdigit() else name


def test_a_quoted_overlap_bomb_is_refused_without_inflating_it() -> None:
    """Fifield's construction: the data of each entry quotes the header of the next; all end in one kernel."""
    data = overlap_bomb(200)
    assert refusal("a.docx", data).code is Reason.OVERLAP


def overlap_bomb(count: int) -> bytes:
    import zlib

    kernel = zlib.compress(b"\0" * MEGABYTE, wbits=-15)
    name = b"%06d"
    headers: list[bytes] = []
    tail, size, crc = kernel, MEGABYTE, zlib.crc32(b"\0" * MEGABYTE)
    plain = b"\0" * MEGABYTE
    for number in reversed(range(count)):
        header = (
            struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(tail), size, 6, 0)
            + name % number
        )
        headers.append(header)
        quoted = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header
        plain = header + plain if len(plain) < 2 * MEGABYTE else plain
        tail, size = quoted + header[:0] + tail, size + len(header)
        crc = zlib.crc32(plain)
    body = tail[5:]
    directory, at = b"", 0
    for number, header in enumerate(reversed(headers)):
        fields = struct.unpack("<4s5H3L2H", header[:30])
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *fields[6:9], 6, 0, 0, 0, 0, 0, at
        )
        directory += name % number
        at += 5 + len(header)
    return (
        body
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    )


def test_a_part_that_swells_a_thousandfold_is_a_bomb() -> None:
    assert refusal("a.docx", docx(more={"word/media/x.png": b"\0" * (20 * MEGABYTE)})).code is Reason.BOMB


def test_many_parts_that_swell_a_little_are_a_bomb_together() -> None:
    piece = (b"".join(struct.pack("<L", n * 2654435761 % 2**32) for n in range(4096)) + b"\0" * 49_152) * 16
    swollen = {f"word/media/{number}.png": piece * 3 for number in range(75)}
    refused = refusal("a.docx", docx(more=swollen))
    assert refused.code is Reason.BOMB and "200 MB" in refused.sentence


def test_a_million_entries_are_refused_before_they_are_read() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 60_000, 60_000, 46 * 60_000, 4, 0)
    data = b"PK\x03\x04" + b"\0" * (46 * 60_000) + end
    tracemalloc.start()
    assert refusal("a.docx", data).code is Reason.BOMB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MEGABYTE


def test_the_number_of_entries_is_held_to_its_limit() -> None:
    filler = {f"word/media/{number}.png": b"" for number in range(MAX_ENTRIES - 4)}
    assert examine("a.docx", docx(more=filler))
    assert refusal("a.docx", docx(more={**filler, "word/media/one-more.png": b""})).code is Reason.BOMB


def test_bytes_that_belong_to_no_part_are_refused() -> None:
    assert refusal("a.docx", raw_zip(honest_entries(), gap=b"hidden text")).code is Reason.POLYGLOT


def test_data_before_the_first_part_is_refused() -> None:
    data = docx()
    assert refusal("a.docx", b"PK\x03\x04" + data).code is Reason.DAMAGED


def test_an_archive_comment_is_refused() -> None:
    assert refusal("a.docx", raw_zip(honest_entries(), comment=b"hello")).code is Reason.ARCHIVE


def test_a_zip64_archive_is_refused() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert refusal("a.docx", b"PK\x03\x04" + b"\0" * 100 + end).code is Reason.BOMB


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_a_file_cut_off_on_the_way_is_refused(kept: float) -> None:
    data = docx()
    assert refusal("a.docx", data[: int(len(data) * kept)]).code is Reason.DAMAGED


def test_a_nested_archive_is_never_opened() -> None:
    inner = zipped({"x": b"\0" * (10 * MEGABYTE)})
    outer = docx(
        more={"word/media/inner.zip": inner}, types='<Default Extension="zip" ContentType="application/zip"/>'
    )
    assert examine("a.docx", outer).findings


def test_inflating_holds_only_a_bite_in_memory() -> None:
    import random

    noise = random.Random(1).randbytes(256 * 1024)
    data = io.BytesIO(zipped({"a.png": noise * 80}))
    tracemalloc.start()
    Package(data).inflate_all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * MEGABYTE
