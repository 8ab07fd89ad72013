"""The check at the door: name, kind, shape and content of one file."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, assert_never

from reviews.formats import docx, html, pdf, text
from reviews.formats.kinds import MediaType
from reviews.formats.names import check_name
from reviews.formats.report import Inspection, Reason, Refused
from reviews.formats.sniff import sniff


def check(file_name: str, file: BinaryIO, size: int) -> Inspection:
    """Say what the file is and what else is in it, or raise Refused. The file is only read.

    `size` is what the sender declared; a file of another length was cut off or grew on the way. Time and
    memory stay bounded whatever is in the file.
    """
    warnings = check_name(file_name)
    _check_size(file, size)
    media_type = sniff(file_name, file)
    inspection = _inspect(media_type, file)
    return replace(inspection, findings=warnings + inspection.findings)


def _check_size(file: BinaryIO, size: int) -> None:
    arrived = file.seek(0, 2)
    if arrived == 0:
        raise Refused(Reason.EMPTY, "The file is empty. Check that it was saved, and send it again.")
    if arrived != size:
        raise Refused(
            Reason.DAMAGED,
            f"The file did not arrive whole: {size:,} bytes were announced and {arrived:,} came. Send it "
            "again.",
        )


def _inspect(media_type: MediaType, file: BinaryIO) -> Inspection:
    match media_type:
        case MediaType.DOCX:
            return docx.inspect(file)
        case MediaType.PDF:
            return pdf.inspect(file)
        case MediaType.HTML:
            return html.inspect(file)
        case MediaType.MARKDOWN | MediaType.TEXT:
            return text.inspect(file, media_type)
        case _:
            assert_never(media_type)
