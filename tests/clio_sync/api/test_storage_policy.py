"""Which addresses bytes may go to. The list is short and nothing that resembles an entry gets through."""

from __future__ import annotations

import io

import httpx
import pytest

from clio_sync.api import Secret, StoragePolicy, errors
from clio_sync.api.storage import Storage
from tests.clio_sync.api.clio_script import script

BUCKET = "clio-documents.s3.us-east-1.amazonaws.com"
PATH_STYLE = "s3.us-west-2.amazonaws.com"
PUBLIC = ["52.216.0.1", "2600:1f00::1"]


def policy(resolved: list[str] | None = None) -> StoragePolicy:
    return StoragePolicy.clio(
        [BUCKET, f"{PATH_STYLE}/iris-production", "*.s3.ca-central-1.amazonaws.com"],
        buckets=["clio-ca"],
        resolve=lambda host: PUBLIC if resolved is None else resolved,
    )


def send_to(url: str, allowed: StoragePolicy | None = None) -> int:
    storage = script(httpx.Response(200))
    Storage(allowed or policy(), transport=storage.transport).put(Secret(url), (), io.BytesIO(b"x"), size=1)
    return len(storage.sent)


@pytest.mark.parametrize(
    "url",
    [
        f"https://{BUCKET}/uploads/a?X-Amz-Signature=1",
        f"https://{BUCKET}:443/uploads/a",
        f"https://{PATH_STYLE}/iris-production/uploads/a%20b.docx?X-Amz-Signature=1",
        "https://clio-ca.s3.ca-central-1.amazonaws.com/a",
        f"https://{BUCKET.upper()}/a",
    ],
)
def test_a_listed_place_is_used(url: str) -> None:
    assert send_to(url) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://attacker.example/a",
        f"http://{BUCKET}/a",
        f"ftp://{BUCKET}/a",
        f"https://{BUCKET}:22/a",
        f"https://{BUCKET}:8443/a",
        f"https://{BUCKET}.evil.example/a",
        f"https://evil.{BUCKET}/a",
        f"https://{BUCKET}./a",
        f"https://user@{BUCKET}/a",
        f"https://{BUCKET}@evil.example/a",
        f"https://{BUCKET}:443@evil.example/a",
        f"https://evil.example/{BUCKET}/a",
        f"https://evil.example#{BUCKET}/a",
        f"https://evil.example\\@{BUCKET}/a",
        f"https://{BUCKET}\\.evil.example/a",
        f"https://{BUCKET}%00.evil.example/a",
        f"https://{BUCKET} .evil.example/a",
        f"https://{BUCKET}\t.evil.example/a",
        f"https://{BUCKET}/a\r\nHost: evil.example",
        f"https://{BUCKET}/a\n",
        f" https://{BUCKET}/a",
        f"//{BUCKET}/a",
        f"{BUCKET}/a",
        f"https:{BUCKET}/a",
        f"https:///{BUCKET}/a",
        "https://other-bucket.s3.us-east-1.amazonaws.com/a",
        "https://other.s3.ca-central-1.amazonaws.com/a",
        "https://clio-ca.s3.us-east-1.amazonaws.com/a",
        "https://s3.amazonaws.com/clio-documents/a",
        f"https://{PATH_STYLE}/other-bucket/a",
        f"https://{PATH_STYLE}/iris-production-evil/a",
        f"https://{PATH_STYLE}//iris-production/a",
        f"https://{PATH_STYLE}/iris-production/../other-bucket/a",
        f"https://{PATH_STYLE}/%69ris-production/a",
        f"https://iris-production.{PATH_STYLE}/a",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://[::1]/a",
        "https://[::ffff:169.254.169.254]/a",
        "https://localhost/a",
        "https://ⓒlio-documents.s3.us-east-1.amazonaws.com/a",
        "https://xn--clio-documents.s3.us-east-1.amazonaws.com/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "",
        f"https://{BUCKET}/" + "a" * 9000,
    ],
)
def test_any_other_place_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(errors.StorageAddressRefused) as caught:
        send_to(url)

    assert isinstance(caught.value, errors.Refused)
    assert isinstance(caught.value, errors.StorageError)
    assert not caught.value.ambiguous


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.168.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
    ],
)
def test_a_listed_name_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(errors.StorageAddressRefused, match="private"):
        send_to(f"https://{BUCKET}/a", policy([*PUBLIC, address]))


def test_a_name_that_does_not_resolve_is_tried_again_later() -> None:
    def nothing(host: str) -> list[str]:
        raise OSError("no such name")

    allowed = StoragePolicy.clio([BUCKET], resolve=nothing)

    with pytest.raises(errors.StorageUnreachable) as caught:
        send_to(f"https://{BUCKET}/a", allowed)

    assert not caught.value.ambiguous


def test_the_refusal_names_the_host_and_nothing_else_of_the_address() -> None:
    with pytest.raises(errors.StorageAddressRefused) as caught:
        send_to("https://attacker.example/uploads/secret?X-Amz-Signature=abc")

    assert "attacker.example" in caught.value.sentence
    assert "secret" not in str(caught.value)
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "s3.us-west-2.amazonaws.com",
        "s3.amazonaws.com",
        "*.s3.us-east-1.amazonaws.com",
        "*.amazonaws.com",
        "*",
        "",
        "10.0.0.1",
        "127.0.0.1/bucket",
        "localhost",
        "https://bucket.s3.us-east-1.amazonaws.com",
        "bucket.s3.us-east-1.amazonaws.com:8443",
        "s3.us-west-2.amazonaws.com/a/b",
    ],
)
def test_a_list_that_is_too_wide_is_refused_at_start(entry: str) -> None:
    with pytest.raises(ValueError, match=r"storage host|open to any|names of its buckets"):
        StoragePolicy.clio([entry])


@pytest.mark.parametrize(
    "origin", ["ftp://127.0.0.1", "127.0.0.1:9001", "http://u@127.0.0.1", "http://h/path", ""]
)
def test_a_sandbox_is_named_by_its_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        StoragePolicy.sandbox(origin)
