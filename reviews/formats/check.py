"""The check at the door: name, kind, shape and content of one file."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO

from reviews.formats import confine
from reviews.formats.inspectors import unpack
from reviews.formats.kinds import MediaType
from reviews.formats.names import check_name
from reviews.formats.report import Inspection, Reason, Refused
from reviews.formats.sniff import sniff


def check(file_name: str, file: BinaryIO, size: int) -> Inspection:
    """Say what the file is and what else is in it, or raise Refused. The file is only read.

    `size` is what the sender declared; a file of another length was cut off or grew on the way. Time and
    memory stay bounded whatever is in the file: the content is read in a process of its own.
    """
    warnings = check_name(file_name)
    _check_size(file, size)
    media_type = sniff(file_name, file)
    inspection = unpack(media_type, confine.run("inspect", file, kind=media_type).facts)
    return replace(inspection, findings=warnings + inspection.findings)


def plain_text(media_type: MediaType, file: BinaryIO) -> str:
    """The words of a draft, for search and for comparing versions. Lines end in \\n, pages of a PDF in \\f.

    For a file that `check` accepted; raises Refused for any other.
    """
    return confine.run("words", file, kind=media_type).body.decode()


def _check_size(file: BinaryIO, size: int) -> None:
    arrived = file.seek(0, 2)
    if arrived == 0:
        raise Refused(Reason.EMPTY, "The file is empty. Check that it was saved, and send it again.")
    if arrived != size:
        raise Refused(
            Reason.DAMAGED,
            f"Not all of the file arrived: {size:,} bytes were announced, {arrived:,} came. Send it again.",
        )
