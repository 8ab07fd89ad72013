"""Document versions: reserving one, describing it with its signed URLs, confirming that its bytes arrived."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import uuid
from datetime import datetime
from typing import Any

from clio_sync.sandbox import objects, storage
from clio_sync.sandbox.call import Call, read_integer
from clio_sync.sandbox.errors import Refusal, invalid_argument
from clio_sync.sandbox.fields import Record
from clio_sync.sandbox.records import Records, base
from clio_sync.sandbox.state import Row, State

_MOST_PARTS_AT_ONCE = 50
_MOST_PARTS = 10_000
_ENCRYPTION = ("x-amz-server-side-encryption", "AES256")
_TYPES = mimetypes.MimeTypes()
for _extension, _type in {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".md": "text/markdown",
    ".msg": "application/vnd.ms-outlook",
    ".eml": "message/rfc822",
}.items():
    _TYPES.add_type(_type, _extension)


def content_type(given: Any, filename: str) -> str:
    if isinstance(given, str) and given.strip():
        return given.strip()
    guessed, _ = _TYPES.guess_type(filename)
    if guessed is None:
        raise invalid_argument("content_type must be given when the extension does not tell it")
    return guessed


def reserve(call: Call, document_id: int, *, filename: str, kind: str) -> int:
    """The next version of a document, waiting for its bytes."""
    version_uuid, now = str(uuid.uuid4()), call.state.stamp()
    number = call.state.count("SELECT max(number) FROM version WHERE document_id = ?", document_id) + 1
    version_id = call.state.insert(
        "version",
        document_id=document_id,
        uuid=version_uuid,
        number=number,
        filename=filename,
        content_type=kind,
        creator_id=call.user_id,
        upload_id=uuid.uuid4().hex if call.data.get("multiparts") else None,
        object_key=f"uploads/document_version/file/{version_uuid}/{filename}",
        received_at=now,
        created_at=now,
        updated_at=now,
    )
    add_parts(call, version_id)
    return version_id


# Parts.


def add_parts(call: Call, version_id: int) -> list[int]:
    """Announce parts of a multipart upload; a part may be announced again. Says which numbers were named."""
    given = call.data.get("multiparts") or []
    if not isinstance(given, list) or len(given) > _MOST_PARTS_AT_ONCE:
        raise invalid_argument(f"multiparts must be a list of at most {_MOST_PARTS_AT_ONCE} parts")
    return [_add_part(call.state, version_id, part) for part in given]


def _add_part(state: State, version_id: int, part: Any) -> int:
    if not isinstance(part, dict) or "part_number" not in part or "content_length" not in part:
        raise invalid_argument("multiparts need a part_number and a content_length")
    number = read_integer(part["part_number"], "part_number")
    length = read_integer(part["content_length"], "content_length")
    if not 1 <= number <= _MOST_PARTS or length < 0:
        raise invalid_argument(f"part_number must be between 1 and {_MOST_PARTS}")
    digest = part.get("content_md5")
    if digest is not None and not _is_md5(digest):
        raise invalid_argument("content_md5 must be a base64-encoded 128-bit digest")
    known = state.one("SELECT 1 FROM part WHERE version_id = ? AND part_number = ?", version_id, number)
    if known and not state.flag("parts_announced_again"):
        raise invalid_argument(f"part_number {number} has been announced already")
    state.run("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?)", version_id, number, length, digest)
    return number


def _is_md5(text: Any) -> bool:
    try:
        return isinstance(text, str) and len(base64.b64decode(text, validate=True)) == 16
    except binascii.Error:
        return False


# Describing.


class VersionRecords(Records):
    """Renders versions. ``parts`` narrows the multiparts shown to those just announced."""

    parts: list[int] | None = None

    def version(self, row: Row) -> Record:
        return {
            **base("DocumentVersion", "version", row),
            "version_number": row["number"],
            "fully_uploaded": bool(row["fully_uploaded"]),
            "size": size(self.state, row),
            "creator": self._link("user", row["creator_id"], self.creator),
            "put_url": lambda: self._put_url(row),
            "put_headers": lambda: [] if row["fully_uploaded"] else _named(_put_headers(row)),
            "multiparts": lambda: self._multiparts(row),
        }

    def _put_url(self, row: Row) -> str | None:
        if row["fully_uploaded"] or row["upload_id"]:
            return None
        return _signed(self.state, row, headers=_put_headers(row))

    def _multiparts(self, row: Row) -> list[Record]:
        if row["fully_uploaded"]:
            return []
        parts = self.state.all("SELECT * FROM part WHERE version_id = ? ORDER BY part_number", row["id"])
        return [
            self._part(row, part) for part in parts if self.parts is None or part["part_number"] in self.parts
        ]

    def _part(self, row: Row, part: Row) -> Record:
        headers: tuple[tuple[str, str], ...] = (("Content-Length", str(part["content_length"])),)
        if part["content_md5"]:
            headers = (*headers, ("Content-MD5", part["content_md5"]))
        return {
            "part_number": part["part_number"],
            "put_url": self._part_url(row, part, headers),
            "put_headers": _named(headers),
        }

    def _part_url(self, row: Row, part: Row, headers: tuple[tuple[str, str], ...]) -> str | None:
        query = f"uploadId={row['upload_id']}&partNumber={part['part_number']}"
        return _signed(self.state, row, headers=headers, query=query)


def _put_headers(row: Row) -> tuple[tuple[str, str], ...]:
    return (_ENCRYPTION, ("Content-Type", row["content_type"]))


def _named(headers: tuple[tuple[str, str], ...]) -> list[Record]:
    return [{"name": name, "value": value} for name, value in headers]


def _signed(state: State, row: Row, *, headers: tuple[tuple[str, str], ...], query: str = "") -> str:
    seconds = int(state.number("put_url_seconds"))
    return storage.presigned(state, "PUT", row["object_key"], seconds=seconds, headers=headers, query=query)


def size(state: State, row: Row) -> int | None:
    """Null while Clio has not looked at the bytes, which may last a while after the confirmation."""
    if not row["confirmed_at"]:
        return None
    age = state.now() - datetime.fromisoformat(row["confirmed_at"])
    return row["size"] if age.total_seconds() >= state.number("size_lag_seconds") else None


# Confirming.


def confirm(call: Call, row: Row) -> None:
    """Mark a version fully uploaded, given that storage holds exactly what was announced."""
    if row["fully_uploaded"]:
        _refuse_again(call, row)
        return
    _time_out_if_planned(call)
    content = objects.find(call.state, row["object_key"])
    if content is None or not _parts_complete(call.state, row):
        name, version_uuid = row["filename"], row["uuid"]
        message = f"A matching remote file was not found for the file named {name} with UUID {version_uuid}"
        raise _upload_error(call, "UploadNotFoundError", message)
    _check_part_sizes(call, row)
    call.state.change(
        "version",
        row["id"],
        fully_uploaded=1,
        confirmed_at=call.state.stamp(),
        size=content.size,
        sha256=content.sha256(),
    )


def _refuse_again(call: Call, row: Row) -> None:
    if call.state.word("confirm_again") == "ok":
        return
    status = int(call.state.number("confirm_again_status"))
    message = f"An invalid argument was supplied: the version {row['uuid']} is already fully uploaded"
    raise Refusal(status, call.state.word("confirm_again_type"), message)


def _time_out_if_planned(call: Call) -> None:
    if call.state.number("confirm_times_out") > 0:
        message = "A timeout occurred verifying the remote file. Please try the request again."
        raise _upload_error(call, "UploadTimeoutError", message)


def _upload_error(call: Call, kind: str, message: str) -> Refusal:
    return Refusal(int(call.state.number("upload_error_status")), kind, message)


def _parts_complete(state: State, row: Row) -> bool:
    if not row["upload_id"]:
        return True
    missing = state.one(
        "SELECT 1 FROM part LEFT JOIN stored_object AS stored"
        " ON stored.key = ? AND stored.part_number = part.part_number AND stored.size = part.content_length"
        " WHERE part.version_id = ? AND stored.key IS NULL",
        row["object_key"],
        row["id"],
    )
    return missing is None


def _check_part_sizes(call: Call, row: Row) -> None:
    parts = call.state.all("SELECT * FROM part WHERE version_id = ? ORDER BY part_number", row["id"])
    smallest = call.state.number("minimum_part_bytes")
    if any(part["content_length"] < smallest for part in parts[:-1]):
        raise invalid_argument(f"multiparts must be at least {int(smallest)} bytes, the last one aside")
