"""The storage host: an S3 bucket as far as a presigned URL lets anyone see it."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from clio_sync.sandbox import faults, ledger, objects, presign
from clio_sync.sandbox.errors import StorageRefusal
from clio_sync.sandbox.server import IncompleteBody, Request, Response
from clio_sync.sandbox.state import State

BUCKET = "clio-sandbox-documents"
_LARGEST_BYTES = 5 << 30


def key_of(state: State) -> presign.Key:
    return presign.Key(identifier="SANDBOXSTORAGEKEY", secret=state.secret("storage_secret"))


def presigned(
    state: State,
    method: str,
    key: str,
    *,
    seconds: int,
    headers: tuple[tuple[str, str], ...] = (),
    query: str = "",
) -> str:
    url = f"{_bucket_url(state)}/{quote(key, safe='/-_.~')}" + (f"?{query}" if query else "")
    return presign.sign(key_of(state), method, url, now=state.now(), seconds=seconds, headers=headers)


def _bucket_url(state: State) -> str:
    base = urlsplit(state.addresses.storage)
    if state.word("storage_style") == "virtual":
        return f"{base.scheme}://{BUCKET}.{base.netloc}"
    return f"{state.addresses.storage}/{BUCKET}"


class StorageHost:
    def __init__(self, state: State) -> None:
        self.state = state

    def __call__(self, request: Request) -> Response:
        entry = ledger.Entry("storage", f"storage.{request.method.lower()}", request, keep_body=False)
        drawn = faults.draw(self.state, request, route=entry.route)
        entry.fault_id, entry.outcome = drawn.fault_id, drawn.outcome
        if not faults.wait(self.state, drawn.wait_before):
            return Response(0, mishap="vanish")
        response = drawn.spoil(drawn.instead() or self._answer(request, entry))
        ledger.write(self.state, entry, response)
        faults.wait(self.state, drawn.wait_after)
        return response

    def _answer(self, request: Request, entry: ledger.Entry) -> Response:
        common = (("x-amz-request-id", entry.request_id.upper()),)
        try:
            return self._act(request).with_headers(*common)
        except StorageRefusal as refusal:
            return _error(refusal, request, entry).with_headers(*common)

    def _act(self, request: Request) -> Response:
        if request.method == "PUT" and request.remaining < 0:
            reason = "A header you provided implies functionality that is not implemented"
            raise StorageRefusal(501, "NotImplemented", reason, Header="Transfer-Encoding")
        presign.check(key_of(self.state), request, now=self.state.now())
        key = _object_key(request)
        if request.method == "PUT":
            return self._put(request, key)
        if request.method in {"GET", "HEAD"}:
            return self._get(key)
        raise StorageRefusal(
            405, "MethodNotAllowed", "The specified method is not allowed against this resource."
        )

    def _put(self, request: Request, key: str) -> Response:
        part_number = self._part_number(request, key)
        written = self._receive(request)
        try:
            _check_digest(request, written)
        except StorageRefusal:
            written.file.unlink(missing_ok=True)
            raise
        content_type = request.headers.get("content-type") or "binary/octet-stream"
        with self.state.transaction():
            objects.keep(self.state, key, written, part_number=part_number, content_type=content_type)
        encryption = request.headers.get("x-amz-server-side-encryption")
        return Response(
            200,
            headers=(
                ("ETag", written.etag),
                *((("x-amz-server-side-encryption", encryption),) if encryption else ()),
            ),
        )

    def _receive(self, request: Request) -> objects.Written:
        if "content-length" not in request.headers:
            raise StorageRefusal(
                411, "MissingContentLength", "You must provide the Content-Length HTTP header."
            )
        if request.remaining > _LARGEST_BYTES:
            raise StorageRefusal(
                400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"
            )
        try:
            return objects.write(self.state, request.chunks())
        except IncompleteBody as error:
            reason = "You did not provide the number of bytes specified by the Content-Length HTTP header"
            raise StorageRefusal(400, "IncompleteBody", reason) from error

    def _part_number(self, request: Request, key: str) -> int:
        upload_id, number = request.query.get("uploadId"), request.query.get("partNumber")
        if upload_id is None or number is None:
            return 0
        if not self.state.one("SELECT 1 FROM version WHERE object_key = ? AND upload_id = ?", key, upload_id):
            reason = "The specified upload does not exist."
            raise StorageRefusal(404, "NoSuchUpload", reason)
        return int(number)

    def _get(self, key: str) -> Response:
        content = objects.find(self.state, key)
        if content is None:
            raise StorageRefusal(404, "NoSuchKey", "The specified key does not exist.")
        row = self.state.one("SELECT content_type, filename FROM version WHERE object_key = ?", key)
        name = quote(row["filename"]) if row else "file"
        return Response(
            200,
            headers=(
                ("Content-Type", row["content_type"] if row else "binary/octet-stream"),
                ("Content-Disposition", f"attachment; filename*=UTF-8''{name}"),
                ("X-Content-Type-Options", "nosniff"),
            ),
            stream=content.chunks(),
            length=content.size,
        )


def _object_key(request: Request) -> str:
    """The key in either style: ``/bucket/key`` or ``bucket.host/key``."""
    host, path = request.headers.get("host") or "", request.path.lstrip("/")
    return path if host.startswith(f"{BUCKET}.") else path.removeprefix(f"{BUCKET}/")


def _check_digest(request: Request, written: objects.Written) -> None:
    announced = request.headers.get("content-md5")
    if announced is None:
        return
    try:
        valid = len(base64.b64decode(announced, validate=True)) == 16
    except binascii.Error:
        valid = False
    if not valid:
        raise StorageRefusal(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    if announced != written.md5_text:
        reason = "The Content-MD5 you specified did not match what we received."
        raise StorageRefusal(
            400, "BadDigest", reason, ExpectedDigest=announced, CalculatedDigest=written.md5_text
        )


def _error(refusal: StorageRefusal, request: Request, entry: ledger.Entry) -> Response:
    facts = {
        "Code": refusal.code,
        "Message": refusal.message,
        **refusal.details,
        "Resource": request.path,
        "RequestId": entry.request_id.upper(),
    }
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in facts.items())
    page = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Response(refusal.status, page.encode(), (("Content-Type", "application/xml"),))
