from __future__ import annotations

import hashlib
import os
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.clio_sync.sandbox.upload import confirm, put_headers, reserve, transfer, upload
from tests.sandbox_process import SandboxProcess

PARTS = {"fields": "id,latest_document_version{uuid,put_headers,multiparts}"}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


def put_url(reserved: Any) -> str:
    return str(reserved["latest_document_version"]["put_url"])


def test_storage_refuses_what_amazon_refuses(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id, name="Fee agreement (ä).pdf")
    url, headers = put_url(reserved), put_headers(reserved)

    def put(url: str = url, /, **changes: str | None) -> tuple[int, str]:
        whole = {**headers, **changes}
        sent = {name: value for name, value in whole.items() if value is not None}
        return code(sandbox.http.put(url, content=b"%PDF-1.4", headers=sent))

    assert put(**{"Content-Type": "text/html"}) == (403, "SignatureDoesNotMatch")
    assert put(**{"Content-Type": None}) == (403, "SignatureDoesNotMatch")
    assert put(**{"x-amz-server-side-encryption": None}) == (403, "SignatureDoesNotMatch")
    assert put(Authorization="Bearer 1-token") == (400, "InvalidArgument")
    assert put(url.replace("agreement", "invoice")) == (403, "SignatureDoesNotMatch")
    assert put(**{"Content-MD5": b64encode(bytes(16)).decode()}) == (400, "BadDigest")
    assert put(**{"Content-MD5": "nonsense"}) == (400, "InvalidDigest")
    assert code(sandbox.http.get(url, headers=headers)) == (403, "SignatureDoesNotMatch")
    assert code(sandbox.http.put(url.partition("?")[0], content=b"x")) == (403, "AccessDenied")
    assert sandbox.documents()[0]["versions"][0]["writes"] == 0
    assert put() == (200, "")


def test_chunked_transfer_is_not_implemented(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id)

    def pieces() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    answer = sandbox.http.put(put_url(reserved), content=pieces(), headers=put_headers(reserved))

    assert code(answer) == (501, "NotImplemented")
    assert transfer(reserved, b"one").status_code == 200


def test_a_put_url_lives_ten_minutes(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    reserved = reserve(clio, matter_id)
    sandbox.advance(601)
    late = transfer(reserved, b"bytes")
    again = clio.get(
        f"/documents/{reserved['id']}", params={"fields": "latest_document_version{uuid,put_url,put_headers}"}
    )
    renewed = transfer(again.json()["data"], b"bytes")
    sandbox.switch(put_url_renewed_on_show=False)
    without = clio.get(f"/documents/{reserved['id']}", params={"fields": "latest_document_version{put_url}"})

    assert code(late) == (403, "AccessDenied")
    assert "Request has expired" in late.text
    assert renewed.status_code == 200
    assert without.json()["data"]["latest_document_version"]["put_url"] is None


def raw(url: str, head: dict[str, str], body: bytes) -> bytes:
    """Send exactly these bytes, then close our side."""
    parts = urlsplit(url)
    lines = [f"PUT {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in head.items()]
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=10) as line:
        line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_fewer_bytes_than_announced_are_an_incomplete_body(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve(clio, matter_id)
    answer = raw(put_url(reserved), {**put_headers(reserved), "Content-Length": "100"}, b"only some")

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"<Code>IncompleteBody</Code>" in answer
    assert sandbox.documents()[0]["versions"][0]["stored_sha256"] is None
    assert confirm(clio, reserved).json()["error"]["type"] == "UploadNotFoundError"


def test_a_length_must_be_given(clio: httpx.Client, matter_id: int) -> None:
    reserved = reserve(clio, matter_id)

    assert b"<Code>MissingContentLength</Code>" in raw(put_url(reserved), put_headers(reserved), b"")


def test_an_empty_file_is_a_file(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    upload(clio, matter_id, b"")

    assert sandbox.documents()[0]["sha256"] == hashlib.sha256(b"").hexdigest()


def test_the_bytes_come_back_by_download(clio: httpx.Client, sandbox: SandboxProcess, matter_id: int) -> None:
    content = os.urandom(300_000)
    document_id = upload(clio, matter_id, content, name="Beweismittel ü.pdf")["id"]
    answer = clio.get(f"/documents/{document_id}/download.json")
    location = answer.headers["location"]

    assert (answer.status_code, answer.content) == (303, b"")
    assert location.startswith(sandbox.storage_url)
    assert sandbox.http.get(location).content == content
    assert sandbox.http.get(location, headers={"Authorization": "Bearer 1-x"}).status_code == 400
    sandbox.advance(301)
    assert code(sandbox.http.get(location)) == (403, "AccessDenied")


def test_writing_again_after_the_confirmation_does_not_go_unseen(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = upload(clio, matter_id, b"approved")
    transfer(reserved, b"something else")
    (version,) = sandbox.documents()[0]["versions"]

    assert version["sha256"] == hashlib.sha256(b"approved").hexdigest()
    assert version["stored_sha256"] == hashlib.sha256(b"something else").hexdigest()
    assert version["writes"] == 2


def test_the_bucket_may_stand_in_the_host(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(storage_style="virtual")
    reserved = reserve(clio, matter_id)
    parts = urlsplit(put_url(reserved))
    url = f"{sandbox.storage_url}{parts.path}?{parts.query}"
    headers = {**put_headers(reserved), "Host": parts.netloc}

    assert parts.netloc.startswith("clio-sandbox-documents.")
    assert parts.path.startswith("/uploads/")
    assert sandbox.http.put(url, content=b"bytes", headers=headers).status_code == 200
    assert confirm(clio, reserved).status_code == 200


def announced(*parts: bytes, digest: bool = True) -> list[dict[str, Any]]:
    return [
        {
            "part_number": number,
            "content_length": len(part),
            **({"content_md5": b64encode(hashlib.md5(part).digest()).decode()} if digest else {}),
        }
        for number, part in enumerate(parts, 1)
    ]


def reserve_parts(clio: httpx.Client, matter_id: int, parts: list[dict[str, Any]]) -> Any:
    data = {"name": "Bundle.pdf", "parent": {"id": matter_id, "type": "Matter"}, "multiparts": parts}
    answer = clio.post("/documents", params=PARTS, json={"data": data})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def put_part(sandbox: SandboxProcess, part: Any, content: bytes) -> httpx.Response:
    headers = {header["name"]: header["value"] for header in part["put_headers"]}
    return sandbox.http.put(part["put_url"], content=content, headers=headers)


def test_parts_may_come_in_any_order_and_twice(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(minimum_part_bytes=4)
    contents = [b"first", b"second", b"3"]
    reserved = reserve_parts(clio, matter_id, announced(*contents))
    parts = reserved["latest_document_version"]["multiparts"]
    for place in (2, 0, 0, 1):
        assert confirm(clio, reserved).json()["error"]["type"] == "UploadNotFoundError"
        assert put_part(sandbox, parts[place], contents[place]).status_code == 200

    assert confirm(clio, reserved).status_code == 200
    (document,) = sandbox.documents()
    assert document["sha256"] == hashlib.sha256(b"firstsecond3").hexdigest()
    location = clio.get(f"/documents/{reserved['id']}/download").headers["location"]
    assert sandbox.http.get(location).content == b"firstsecond3"


def test_a_damaged_part_is_told_by_its_digest(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve_parts(clio, matter_id, announced(b"first"))
    (part,) = reserved["latest_document_version"]["multiparts"]

    assert code(put_part(sandbox, part, b"firsT")) == (400, "BadDigest")
    assert put_part(sandbox, part, b"first").status_code == 200


def test_a_part_of_another_length_is_refused_by_its_signature(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve_parts(clio, matter_id, announced(b"first", digest=False))
    (part,) = reserved["latest_document_version"]["multiparts"]
    answer = sandbox.http.put(part["put_url"], content=b"first and more")

    assert code(answer) == (403, "SignatureDoesNotMatch")


def test_more_than_fifty_parts_take_a_second_call(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    sandbox.switch(minimum_part_bytes=1)
    parts = announced(*[b"x"] * 51)
    too_many = {"name": "B.pdf", "parent": {"id": matter_id, "type": "Matter"}, "multiparts": parts}
    refused = clio.post("/documents", json={"data": too_many})
    reserved = reserve_parts(clio, matter_id, parts[:50])
    more = {
        "uuid": reserved["latest_document_version"]["uuid"],
        "fully_uploaded": False,
        "multiparts": parts[50:],
    }
    answer = clio.patch(f"/documents/{reserved['id']}", params=PARTS, json={"data": more})
    added = answer.json()["data"]["latest_document_version"]["multiparts"]

    assert refused.status_code == 422
    assert [part["part_number"] for part in added] == [51]
    for part in [*reserved["latest_document_version"]["multiparts"], *added]:
        assert put_part(sandbox, part, b"x").status_code == 200
    assert confirm(clio, reserved).status_code == 200
    assert sandbox.documents()[0]["size"] == 51


def test_small_parts_are_refused_unless_last(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int
) -> None:
    reserved = reserve_parts(clio, matter_id, announced(b"too small", b"last"))
    for part, content in zip(
        reserved["latest_document_version"]["multiparts"], (b"too small", b"last"), strict=True
    ):
        put_part(sandbox, part, content)

    assert confirm(clio, reserved).json()["error"]["type"] == "ArgumentError"


@pytest.mark.parametrize("size", [64 * 1024 * 1024])
def test_memory_does_not_grow_with_the_file(
    clio: httpx.Client, sandbox: SandboxProcess, matter_id: int, tmp_path: Path, size: int
) -> None:
    assert sandbox.process is not None
    file = tmp_path / "large.pdf"
    with file.open("wb") as out:
        out.truncate(size)
    reserved = reserve(clio, matter_id, name="large.pdf")
    before = resident(sandbox.process.pid)
    with file.open("rb") as content:
        headers = {**put_headers(reserved), "Content-Length": str(size)}
        answer = sandbox.http.put(put_url(reserved), content=content, headers=headers)

    assert answer.status_code == 200
    assert confirm(clio, reserved).status_code == 200
    assert resident(sandbox.process.pid) - before < 16 * 1024


def resident(pid: int) -> int:
    """Peak memory of a process in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
