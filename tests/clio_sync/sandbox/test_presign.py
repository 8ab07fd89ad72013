"""The signature checker against Amazon's published example, and against checkers with a bug sown in."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from clio_sync.sandbox import presign
from clio_sync.sandbox.errors import StorageRefusal
from clio_sync.sandbox.presign import Key
from clio_sync.sandbox.server import Headers, Request

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEY = Key("SANDBOXSTORAGEKEY", "a secret nobody knows")
SIGNED = (("x-amz-server-side-encryption", "AES256"), ("Content-Type", "application/pdf"))
PLACE = "http://127.0.0.1:9/bucket/uploads/Fee%20agreement%20%28v2%29.pdf"


def request(url: str, headers: dict[str, str], *, method: str = "PUT", host: str = "") -> Request:
    parts = urlsplit(url)
    whole = {"Host": host or parts.netloc, **headers}
    return Request(method, f"{parts.path}?{parts.query}", Headers(whole.items()), io.BytesIO(), 0)


def signed() -> str:
    return presign.sign(KEY, "PUT", PLACE, now=NOW, seconds=600, headers=SIGNED)


def test_the_signature_is_that_of_amazons_own_example() -> None:
    """docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    amazon = Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    url = presign.sign(
        amazon,
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        now=datetime(2013, 5, 24, tzinfo=UTC),
        seconds=86400,
    )

    assert url.endswith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_the_signed_request_passes() -> None:
    presign.check(KEY, request(signed(), dict(SIGNED)), now=NOW + timedelta(seconds=599))


def altered(change: Callable[[str], str]) -> Callable[[], Request]:
    return lambda: request(change(signed()), dict(SIGNED))


FORGERIES: dict[str, tuple[Callable[[], Request], int, str]] = {
    "another method": (lambda: request(signed(), dict(SIGNED), method="GET"), 403, "SignatureDoesNotMatch"),
    "another host": (lambda: request(signed(), dict(SIGNED), host="evil:9"), 403, "SignatureDoesNotMatch"),
    "another path": (altered(lambda url: url.replace("agreement", "invoice")), 403, "SignatureDoesNotMatch"),
    "a longer life": (
        altered(lambda url: url.replace("Expires=600", "Expires=601")),
        403,
        "SignatureDoesNotMatch",
    ),
    "a later date": (altered(lambda url: url.replace("090000Z", "090001Z")), 403, "SignatureDoesNotMatch"),
    "fewer signed headers": (
        altered(lambda url: url.replace("content-type%3Bhost", "host")),
        403,
        "SignatureDoesNotMatch",
    ),
    "a part number": (altered(lambda url: f"{url}&partNumber=1"), 403, "SignatureDoesNotMatch"),
    "another signature": (
        altered(lambda url: f"{url[:-1]}{'0' if url[-1] != '0' else '1'}"),
        403,
        "SignatureDoesNotMatch",
    ),
    "another scope": (
        altered(lambda url: url.replace("us-east-1", "eu-west-1")),
        403,
        "SignatureDoesNotMatch",
    ),
    "another type": (
        lambda: request(signed(), {**dict(SIGNED), "Content-Type": "text/html"}),
        403,
        "SignatureDoesNotMatch",
    ),
    "no type": (lambda: request(signed(), dict(SIGNED[:1])), 403, "SignatureDoesNotMatch"),
    "no encryption": (lambda: request(signed(), dict(SIGNED[1:])), 403, "SignatureDoesNotMatch"),
    "an unsigned x-amz header": (
        lambda: request(signed(), {**dict(SIGNED), "x-amz-acl": "public-read"}),
        403,
        "AccessDenied",
    ),
    "a bearer token": (
        lambda: request(signed(), {**dict(SIGNED), "Authorization": "Bearer 1-x"}),
        400,
        "InvalidArgument",
    ),
    "no signature": (altered(lambda url: url.partition("&X-Amz-Signature")[0]), 403, "AccessDenied"),
    "an unknown key": (
        altered(lambda url: url.replace("SANDBOXSTORAGEKEY", "OTHER")),
        403,
        "InvalidAccessKeyId",
    ),
    "a life of years": (
        altered(lambda url: url.replace("Expires=600", "Expires=99999999")),
        400,
        "AuthorizationQueryParametersError",
    ),
    "no date": (
        altered(lambda url: url.replace("X-Amz-Date", "X-Date")),
        400,
        "AuthorizationQueryParametersError",
    ),
}


def verdict(forgery: str) -> tuple[int, str] | None:
    try:
        presign.check(KEY, FORGERIES[forgery][0](), now=NOW)
    except StorageRefusal as refusal:
        return refusal.status, refusal.code
    return None


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_request_is_refused(forgery: str) -> None:
    _, status, code = FORGERIES[forgery]

    assert verdict(forgery) == (status, code)


def test_an_expired_url_is_refused_whatever_else_is_right() -> None:
    with pytest.raises(StorageRefusal, match="Request has expired") as refused:
        presign.check(KEY, request(signed(), dict(SIGNED)), now=NOW + timedelta(seconds=600))

    assert (refused.value.status, refused.value.code) == (403, "AccessDenied")


def _signs_without(place: int, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """A signature that does not cover one of its parts."""

    def sow(patch: pytest.MonkeyPatch) -> None:
        real = presign._signature

        def careless(*parts: Any, stamp: str) -> str:
            kept = [*parts]
            kept[place] = value(parts[place])
            return real(*kept, stamp=stamp)

        patch.setattr(presign, "_signature", careless)

    return sow


def _without(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(presign, name, lambda *_, **__: None)


BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "the method is not covered": (_signs_without(1, lambda _: "PUT"), "another method"),
    "the path is not covered": (_signs_without(2, lambda _: "/"), "another path"),
    "the query is not covered": (_signs_without(3, lambda _: []), "a longer life"),
    "the host is not covered": (
        _signs_without(4, lambda signed: {**signed, "host": ""}),
        "another host",
    ),
    "header values are not covered": (
        _signs_without(4, lambda signed: dict.fromkeys(signed, "")),
        "another type",
    ),
    "the signature is not compared": (_without("_check_signature"), "another signature"),
    "loose x-amz headers pass": (_without("_check_unsigned"), "an unsigned x-amz header"),
    "parameters are not checked": (_without("_check_parameters"), "a life of years"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_forgeries_find_each_bug(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sow, forgery = BUGS[bug]
    _, status, code = FORGERIES[forgery]
    sow(monkeypatch)

    assert verdict(forgery) != (status, code)
