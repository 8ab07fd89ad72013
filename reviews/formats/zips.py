"""A ZIP reader that trusts nothing the archive says about itself.

The central directory is parsed here, not by zipfile: Python before 3.11.8 does not notice overlapping
entries, and two readers that disagree about an archive show two different documents. Every byte of the file
must belong to exactly one entry, to the directory or to the end record, in that order.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from reviews.formats.report import Reason, Refused, quoted

MAX_ENTRIES = 2_000
MAX_INFLATED = 200 * 1024 * 1024
MAX_RATIO = 100
RATIO_FROM = 1024 * 1024  # small parts may shrink a lot; only a big one can be a bomb
CHUNK = 64 * 1024

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_DESCRIPTORS = frozenset({12, 16, 20, 24})


@dataclass(frozen=True)
class Entry:
    name: str
    method: int
    crc: int
    packed: int
    size: int
    data_at: int


class Package:
    """An archive whose shape was found sound. `inflate_all` then proves its contents."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        entries = _read_directory(file)
        self.entries = {entry.name: entry for entry in entries}
        _refuse_twins(entries)

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    @property
    def names(self) -> list[str]:
        return [name for name in self.entries if not name.endswith("/")]

    def inflate_all(self) -> None:
        """Read every entry once, keep none. Raises Refused for a bomb, a false size, a bad checksum."""
        left = MAX_INFLATED
        for entry in self.entries.values():
            for chunk in self._inflate(entry):
                left -= len(chunk)
                if left < 0:
                    raise Refused(Reason.BOMB, _BOMB.format(what=f"more than {MAX_INFLATED // 1024**2} MB"))

    def chunks(self, name: str) -> Iterator[bytes]:
        return self._inflate(self.entries[name])

    def read(self, name: str, *, limit: int) -> bytes:
        if self.entries[name].size > limit:
            raise Refused(
                Reason.TOO_COMPLEX, f"The part {quoted(name)} of the file is too large to be read safely."
            )
        return b"".join(self.chunks(name))

    def _inflate(self, entry: Entry) -> Iterator[bytes]:
        size, crc = 0, 0
        for chunk in self._unpack(entry):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > entry.size:
                raise _lies(entry, "is longer than it claims")
            if size > RATIO_FROM and size > MAX_RATIO * entry.packed:
                raise Refused(Reason.BOMB, _BOMB.format(what=f"more than {MAX_RATIO} times its size"))
            yield chunk
        if size != entry.size:
            raise _lies(entry, "is shorter than it claims")
        if crc != entry.crc:
            raise _lies(entry, "does not match its checksum")

    def _unpack(self, entry: Entry) -> Iterator[bytes]:
        engine = zlib.decompressobj(-15) if entry.method == _DEFLATED else None
        self._file.seek(entry.data_at)
        left = entry.packed
        while left:
            packed = self._file.read(min(CHUNK, left))
            left -= len(packed)
            if not packed:
                raise _lies(entry, "is cut off")
            if engine is None:
                yield packed
                continue
            yield from _drain(engine, packed, entry)
        while engine is not None and (rest := engine.decompress(b"", CHUNK)):
            yield rest
        if engine is not None and not engine.eof:
            raise _lies(entry, "is cut off")


_BOMB = (
    "The file unpacks to {what}, far more than a document needs, so it was not opened. "
    "Save the document again in Word and send the new file."
)


def _drain(engine: zlib._Decompress, packed: bytes, entry: Entry) -> Iterator[bytes]:
    """Inflate a piece in bounded bites, however much it expands."""
    try:
        while packed:
            if engine.eof:
                raise _lies(entry, "has data after its end")
            yield engine.decompress(packed, CHUNK)
            packed = engine.unconsumed_tail or engine.unused_data
    except zlib.error as error:
        raise _lies(entry, "cannot be unpacked") from error


def _read_directory(file: BinaryIO) -> list[Entry]:
    end, count, size, start = _read_end(file)
    if count > MAX_ENTRIES:
        raise Refused(Reason.BOMB, _BOMB.format(what=f"{count:,} parts"))
    if start + size != end:
        raise _damaged("its directory is not where it should be")
    file.seek(start)
    directory = file.read(size)
    entries, at, free_from = [], 0, 0
    for _ in range(count):
        entry, offset, flags, at = _read_central(file, directory, at)
        entries.append((offset, entry, flags))
    if at != len(directory):
        raise _damaged("its directory has more in it than it says")
    described = False
    for offset, entry, flags in sorted(entries, key=lambda found: found[0]):
        free_from = _claim(offset, entry, free_from, described=described)
        described = bool(flags & 8)
    _check_gap(start - free_from, described=described)
    return [entry for _, entry, _ in entries]


def _claim(offset: int, entry: Entry, free_from: int, *, described: bool) -> int:
    """Give the entry its bytes; nobody else may have them, and none may lie unclaimed before them."""
    if offset < free_from:
        raise Refused(
            Reason.OVERLAP,
            f"The part {quoted(entry.name)} of the file shares its bytes with another part, as only hostile "
            "files do. "
            "Save the document again in Word and send the new file.",
        )
    _check_gap(offset - free_from, described=described)
    return entry.data_at + entry.packed


def _check_gap(gap: int, *, described: bool) -> None:
    """Between entries there is nothing, or the descriptor that streaming writers leave behind."""
    if gap < 0:
        raise Refused(
            Reason.OVERLAP,
            "The parts of the file overlap its directory. Save it again in Word and send that.",
        )
    if gap and not (described and gap in _DESCRIPTORS):
        raise Refused(
            Reason.POLYGLOT,
            f"The file hides {gap:,} bytes that belong to no part of the document. "
            "Save the document again in Word and send the new file.",
        )


def _read_end(file: BinaryIO) -> tuple[int, int, int, int]:
    """Where the end record stands, then number of entries, size and start of the directory."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _END.size - 65_535))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise _damaged("its end is missing, so it was cut off on the way")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise Refused(
            Reason.POLYGLOT, "There is other data after the end of the document. Save it again and send that."
        )
    if comment:
        raise Refused(
            Reason.ARCHIVE, "The file carries an archive comment, which Word does not write. Save it again."
        )
    if disk or first_disk or here != count:
        raise _damaged("it is one piece of a split archive")
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (size, start):
        raise Refused(Reason.BOMB, _BOMB.format(what="more parts or bytes than a ZIP file normally holds"))
    return length - len(tail) + at, count, size, start


def _read_central(file: BinaryIO, directory: bytes, at: int) -> tuple[Entry, int, int, int]:
    """One line of the directory, checked against the entry's header: entry, offset, flags, next line."""
    if at + _CENTRAL.size > len(directory):
        raise _damaged("its directory is cut off")
    fields = _CENTRAL.unpack_from(directory, at)
    (
        magic,
        made_by,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name_len,
        extra_len,
        comment_len,
        _,
        _,
        mode,
        offset,
    ) = fields
    if magic != b"PK\x01\x02":
        raise _damaged("its directory is broken")
    raw_name = directory[at + _CENTRAL.size : at + _CENTRAL.size + name_len]
    name = _check_entry_name(raw_name, flags)
    _check_kind(name, flags=flags, method=method, made_by=made_by, mode=mode)
    if name.endswith("/") and size:
        raise _damaged(f"the folder {quoted(name)} has content")
    data_at = _check_local(file, offset, raw_name, flags=flags, told=(method, crc, packed, size))
    if method == _STORED and packed != size:
        raise _damaged(f"the part {quoted(name)} gives two different sizes")
    entry = Entry(name, method, crc, packed, size, data_at)
    return entry, offset, flags, at + _CENTRAL.size + name_len + extra_len + comment_len


def _check_local(
    file: BinaryIO, offset: int, raw_name: bytes, *, flags: int, told: tuple[int, int, int, int]
) -> int:
    """The entry's own header must say what the directory says. Returns where its data begins."""
    file.seek(offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise _damaged("one of its parts is missing")
    _, _, own_flags, method, _, _, crc, packed, size, name_len, extra_len = _LOCAL.unpack(header)
    described = bool(flags & 8) and crc == 0 and {packed, size} <= {0, 0xFFFFFFFF}
    agrees = own_flags == flags and (described or (crc, packed, size) == told[1:])
    if not agrees or method != told[0] or file.read(name_len) != raw_name:
        raise Refused(
            Reason.ARCHIVE,
            f"The part {quoted(raw_name.decode('utf-8', 'replace'))} of the file is described in two ways "
            "that disagree. "
            "Save the document again in Word and send the new file.",
        )
    return int(offset + _LOCAL.size + name_len + extra_len)


def _check_kind(name: str, *, flags: int, method: int, made_by: int, mode: int) -> None:
    if flags & (1 | 64 | 8192):
        raise Refused(
            Reason.ENCRYPTED, "The file is encrypted. Remove the password, save it, and send it again."
        )
    if method not in {_STORED, _DEFLATED}:
        raise Refused(
            Reason.ARCHIVE,
            f"The part {quoted(name)} is packed in a way Word does not use. Save it again in Word.",
        )
    unix_kind = stat.S_IFMT(mode >> 16)
    if made_by >> 8 == 3 and unix_kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise Refused(
            Reason.ENTRY_NAME, f"The part {quoted(name)} is a link to another file. Save it again in Word."
        )


def _check_entry_name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & 0x800 else "ascii")
    except UnicodeDecodeError:
        name = ""
    segments = name.removesuffix("/").split("/")
    sound = (
        name
        and len(name) <= 260
        and name.isprintable()
        and "\\" not in name
        and ":" not in name
        and all(segment not in {"", ".", ".."} for segment in segments)
    )
    if not sound:
        shown = quoted(raw.decode("utf-8", "replace"))
        raise Refused(
            Reason.ENTRY_NAME,
            f"The file contains a part with a forbidden name, {shown}, as hostile archives do. "
            "Save the document again in Word and send the new file.",
        )
    return name


def _refuse_twins(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.name.removesuffix("/").casefold()
        if name in seen:
            raise Refused(
                Reason.DUPLICATE,
                f"The file contains the part {quoted(entry.name)} twice, so two programs could show two "
                "documents. "
                "Save the document again in Word and send the new file.",
            )
        seen.add(name)


def _damaged(why: str) -> Refused:
    return Refused(
        Reason.DAMAGED,
        f"The Word file is damaged: {why}. Save the document again in Word and send the new file.",
    )


def _lies(entry: Entry, how: str) -> Refused:
    return _damaged(f"its part {quoted(entry.name)} {how}")
