"""Bytes to storage: all of them, only those, only there, and never with the token."""

from __future__ import annotations

import hashlib
import io
import itertools
from typing import Any

import httpx
import pytest

from clio_sync.api import Secret, StoragePolicy, TransferResult, errors
from clio_sync.api.storage import CHUNK, Storage
from tests.clio_sync.api.clio_script import STORAGE, Script, Step, Trickle, script

HOST = "clio-documents.s3.us-east-1.amazonaws.com"
URL = f"https://{HOST}/uploads/a%20b?X-Amz-Expires=600&X-Amz-Signature=0f3e5c"
BYTES = b"".join(number.to_bytes(4) for number in range(200_000))
SHA256 = hashlib.sha256(BYTES).hexdigest()

OK = httpx.Response(200, headers={"etag": '"e"'})


def put(*steps: Step, **changes: Any) -> tuple[TransferResult, Script]:
    storage = script(*steps or [OK])
    given: dict[str, Any] = {
        "url": URL,
        "headers": (("Content-Type", "a/b"),),
        "body": BYTES,
        "size": len(BYTES),
    }
    given |= changes
    url, headers, body = Secret(given.pop("url")), given.pop("headers"), io.BytesIO(given.pop("body"))
    policy = given.pop("policy", STORAGE)
    return Storage(policy, transport=storage.transport).put(url, headers, body, **given), storage


def s3_error(status: int, code: str, message: str = "m") -> httpx.Response:
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R</RequestId></Error>"
    return httpx.Response(status, content=xml.encode(), headers={"x-amz-request-id": "R7"})


def test_the_body_is_measured_while_it_is_sent() -> None:
    result, storage = put()

    assert storage.last.content == BYTES
    assert storage.last.headers["content-length"] == str(len(BYTES))
    assert "transfer-encoding" not in storage.last.headers
    assert result == TransferResult(len(BYTES), SHA256, "e")


def test_the_body_is_sent_from_where_the_file_stands() -> None:
    file = io.BytesIO(b"skip" + BYTES)
    file.seek(4)

    result = Storage(STORAGE, transport=script(OK).transport).put(Secret(URL), (), file, size=len(BYTES))

    assert result.sha256 == SHA256


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_every_length_around_a_chunk_arrives_whole(size: int) -> None:
    result, storage = put(body=BYTES[:size], size=size, sha256=hashlib.sha256(BYTES[:size]).hexdigest())

    assert storage.last.content == BYTES[:size]
    assert result.bytes_sent == size


def test_progress_is_told_in_bytes_up_to_the_last() -> None:
    told: list[int] = []

    put(on_progress=told.append)

    assert told == [CHUNK, 2 * CHUNK, 3 * CHUNK, len(BYTES)]


@pytest.mark.parametrize(
    "changes",
    [
        {"size": len(BYTES) - 1},
        {"size": len(BYTES) + 1},
        {"size": 1},
        {"sha256": "0" * 64},
        {"body": b""},
        {"headers": (("Content-Length", "5"),)},
    ],
    ids=["longer", "shorter", "much longer", "other bytes", "empty", "other length announced"],
)
def test_bytes_that_are_not_the_announced_ones_are_never_sent_to_their_end(changes: dict[str, Any]) -> None:
    received: list[bytes] = []

    class Wire(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.SyncByteStream)
            received.extend(request.stream)
            return OK

    given: dict[str, Any] = {"size": len(BYTES), "body": BYTES, "headers": (), **changes}
    body, headers = io.BytesIO(given.pop("body")), given.pop("headers")

    with pytest.raises(errors.BytesChanged) as caught:
        Storage(STORAGE, transport=Wire()).put(Secret(URL), headers, body, **given)

    assert sum(map(len, received)) < given["size"]
    assert not caught.value.ambiguous


def test_an_empty_file_is_not_sent() -> None:
    with pytest.raises(ValueError, match="empty file"):
        put(body=b"", size=0)


def test_a_file_that_cannot_be_read_is_not_half_stored() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("disk")

    storage = Storage(STORAGE, transport=script(OK).transport)

    with pytest.raises(errors.BytesChanged, match="could not be read"):
        storage.put(Secret(URL), (), Broken(), size=3)


def test_a_caller_can_stop_a_transfer_before_its_end() -> None:
    with pytest.raises(errors.TransferStopped):
        put(on_progress=lambda sent: sent < 2 * CHUNK)


def test_stopping_after_the_last_byte_is_too_late() -> None:
    result, _ = put(on_progress=lambda sent: sent < len(BYTES))

    assert result.bytes_sent == len(BYTES)


def test_a_transfer_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=10)
    monkeypatch.setattr("clio_sync.api.storage.time.monotonic", lambda: next(clock))

    with pytest.raises(errors.StorageUnreachable) as caught:
        put(seconds=25)

    assert not caught.value.ambiguous


@pytest.mark.parametrize("early", [b"", b"x" * 10])
def test_a_yes_before_all_bytes_left_is_not_believed(early: bytes) -> None:
    class Hasty(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return OK

    with pytest.raises(errors.StorageTrouble) as caught:
        Storage(STORAGE, transport=Hasty()).put(Secret(URL), (), io.BytesIO(BYTES), size=len(BYTES))

    assert caught.value.ambiguous


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (s3_error(403, "AccessDenied", "Request has expired"), errors.StorageExpired),
        (s3_error(403, "ExpiredToken"), errors.StorageExpired),
        (s3_error(403, "AccessDenied", "Access Denied"), errors.StorageDenied),
        (s3_error(403, "SignatureDoesNotMatch"), errors.StorageDenied),
        (s3_error(403, "RequestTimeTooSkewed"), errors.StorageDenied),
        (s3_error(400, "BadDigest"), errors.StorageBadDigest),
        (s3_error(400, "InvalidDigest"), errors.StorageBadDigest),
        (s3_error(400, "IncompleteBody"), errors.StorageTrouble),
        (s3_error(400, "RequestTimeout"), errors.StorageTrouble),
        (s3_error(400, "InvalidArgument"), errors.StorageDenied),
        (s3_error(404, "NoSuchBucket"), errors.StorageDenied),
        (s3_error(411, "MissingContentLength"), errors.StorageDenied),
        (s3_error(429, "TooManyRequests"), errors.StorageTrouble),
        (s3_error(500, "InternalError"), errors.StorageTrouble),
        (s3_error(501, "NotImplemented"), errors.StorageDenied),
        (s3_error(503, "SlowDown"), errors.StorageTrouble),
        (httpx.Response(204), errors.StorageTrouble),
        (httpx.Response(307, headers={"location": "http://169.254.169.254/"}), errors.StorageDenied),
        (httpx.Response(403, html="<html>expired</html>"), errors.StorageDenied),
        (httpx.Response(403, content=b"<Error><Code>7001-EXAMPLE</Code></Error>"), errors.StorageDenied),
    ],
    ids=lambda value: f"{value.status_code}" if isinstance(value, httpx.Response) else value.__name__,
)
def test_storage_errors_are_told_apart(answer: httpx.Response, expected: type[errors.StorageError]) -> None:
    with pytest.raises(errors.StorageError) as caught:
        put(answer)

    assert type(caught.value) is expected
    assert caught.value.status == answer.status_code
    assert not caught.value.ambiguous


BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Error><Code>&b;</Code></Error>"""


@pytest.mark.parametrize(
    "xml", [BOMB, b"<Error", b"\xff\xfe\x00", b"", b"<?xml version='1.0' encoding='klingon'?><a/>"]
)
def test_an_error_that_is_no_good_xml_is_judged_by_its_status(xml: bytes) -> None:
    with pytest.raises(errors.StorageTrouble) as caught:
        put(httpx.Response(503, content=xml))

    assert caught.value.error_type == ""


def test_an_endless_error_is_not_read_to_its_end() -> None:
    with pytest.raises(errors.StorageTrouble):
        put(httpx.Response(503, stream=Trickle(*[b"x" * 65536] * 1000)))


@pytest.mark.parametrize(
    ("trouble", "ambiguous"),
    [
        (httpx.ConnectError("x"), False),
        (httpx.ReadTimeout("x"), True),
        (httpx.RemoteProtocolError("x"), True),
    ],
)
def test_a_lost_transfer_is_ambiguous_once_its_last_byte_has_left(
    trouble: Exception, ambiguous: bool
) -> None:
    class Wire(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if ambiguous:
                request.read()
            raise trouble

    with pytest.raises(errors.StorageUnreachable) as caught:
        Storage(STORAGE, transport=Wire()).put(Secret(URL), (), io.BytesIO(BYTES), size=len(BYTES))

    assert caught.value.ambiguous is ambiguous
    assert isinstance(caught.value, errors.RetryLater)


@pytest.mark.parametrize(
    "name", ["Host", "Authorization", "Transfer-Encoding", "Cookie", "X-Amz-\r\n", "Expect"]
)
def test_headers_that_are_not_for_storage_are_never_sent(name: str) -> None:
    with pytest.raises(errors.StorageDenied, match="does not send"):
        put(headers=((name, "x"),))


def test_a_download_stops_at_the_limit() -> None:
    storage = Storage(
        STORAGE, transport=script(httpx.Response(200, stream=Trickle(b"abc", b"def"))).transport
    )

    with pytest.raises(errors.StorageDenied, match="longer"):
        storage.fetch(Secret(URL), io.BytesIO(), most=5)


def test_a_download_that_breaks_off_is_no_download() -> None:
    broken = httpx.Response(200, stream=Trickle(b"abc", httpx.ReadError("reset")))

    with pytest.raises(errors.StorageUnreachable):
        Storage(STORAGE, transport=script(broken).transport).fetch(Secret(URL), io.BytesIO(), most=5)


def test_the_sandbox_is_one_http_origin() -> None:
    policy = StoragePolicy.sandbox("http://127.0.0.1:9001")

    result, _ = put(url="http://127.0.0.1:9001/uploads/x?X-Amz-Signature=1", policy=policy)

    assert policy.is_sandbox
    assert result.sha256 == SHA256
    for other in ["http://127.0.0.1:9002/x", "https://127.0.0.1:9001/x", "http://localhost:9001/x", URL]:
        with pytest.raises(errors.StorageAddressRefused):
            put(url=other, policy=policy)
