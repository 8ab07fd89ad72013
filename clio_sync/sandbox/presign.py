"""Storage URLs signed the way Amazon S3 signs them (SigV4 in the query), made and checked by the same rules.

The signature covers method, host, path, expiry and the signed headers. Nothing here trusts the URL: a check
recomputes the signature from the request as it came in.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from clio_sync.sandbox.errors import StorageRefusal
from clio_sync.sandbox.server import Request

REGION = "us-east-1"
ALGORITHM = "AWS4-HMAC-SHA256"
_LONGEST_SECONDS = 604_800
_STAMP = "%Y%m%dT%H%M%SZ"
_NEEDED = ("Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires")


@dataclass(frozen=True)
class Key:
    identifier: str
    secret: str


def sign(
    key: Key,
    method: str,
    url: str,
    *,
    now: datetime,
    seconds: int,
    headers: tuple[tuple[str, str], ...] = (),
) -> str:
    """Add the query parameters that let whoever holds the URL send this one request until it expires."""
    parts = urlsplit(url)
    signed = {"host": parts.netloc, **{name.lower(): value for name, value in headers}}
    stamp = now.strftime(_STAMP)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{key.identifier}/{_scope(stamp)}"),
        ("X-Amz-Date", stamp),
        ("X-Amz-Expires", str(seconds)),
        ("X-Amz-SignedHeaders", ";".join(sorted(signed))),
    ]
    signature = _signature(key, method, parts.path, query, signed, stamp=stamp)
    return f"{url.partition('?')[0]}?{_encoded(query)}&X-Amz-Signature={signature}"


def check(key: Key, request: Request, *, now: datetime) -> None:
    """Let the request through, or refuse it with the code and in the order that S3 would."""
    if "authorization" in request.headers:
        raise StorageRefusal(
            400, "InvalidArgument", _ONE_MECHANISM, ArgumentName="Authorization", ArgumentValue="[hidden]"
        )
    given = dict(request.query.pairs)
    if "X-Amz-Signature" not in given:
        raise StorageRefusal(403, "AccessDenied", "Access Denied")
    _check_parameters(key, given)
    _check_expiry(given, now=now)
    _check_signature(key, request, given)
    _check_unsigned(request, given)


_ONE_MECHANISM = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
    "Signature query string parameter or the Authorization header should be specified"
)


def _check_parameters(key: Key, given: dict[str, str]) -> None:
    missing = [name for name in _NEEDED if not given.get(f"X-Amz-{name}")]
    if missing or given["X-Amz-Algorithm"] != ALGORITHM or not _is_lifetime(given["X-Amz-Expires"]):
        reason = "Query-string authentication version 4 requires valid X-Amz-* parameters."
        raise StorageRefusal(400, "AuthorizationQueryParametersError", reason)
    if given["X-Amz-Credential"].partition("/")[0] != key.identifier:
        reason = "The AWS Access Key Id you provided does not exist in our records."
        raise StorageRefusal(403, "InvalidAccessKeyId", reason)


def _is_lifetime(text: str) -> bool:
    return text.isdigit() and 0 < int(text) <= _LONGEST_SECONDS


def _check_expiry(given: dict[str, str], *, now: datetime) -> None:
    try:
        made = datetime.strptime(given["X-Amz-Date"], _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        reason = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        raise StorageRefusal(400, "AuthorizationQueryParametersError", reason) from error
    end = made + timedelta(seconds=int(given["X-Amz-Expires"]))
    if now >= end:
        when = {"Expires": end.isoformat(), "ServerTime": now.isoformat()}
        raise StorageRefusal(403, "AccessDenied", "Request has expired", **when)


def _check_signature(key: Key, request: Request, given: dict[str, str]) -> None:
    names = given["X-Amz-SignedHeaders"].split(";")
    signed = {name: request.headers.get(name) or "" for name in names}
    query = [(name, value) for name, value in request.query.pairs if name != "X-Amz-Signature"]
    stamp = given["X-Amz-Date"]
    wanted = _signature(key, request.method, request.raw_path, query, signed, stamp=stamp)
    whole = given["X-Amz-Credential"] == f"{key.identifier}/{_scope(stamp)}" and "host" in names
    if not whole or not hmac.compare_digest(wanted, given["X-Amz-Signature"]):
        raise StorageRefusal(403, "SignatureDoesNotMatch", _NO_MATCH)


_NO_MATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)


def _check_unsigned(request: Request, given: dict[str, str]) -> None:
    signed = set(given["X-Amz-SignedHeaders"].split(";"))
    loose = sorted({name for name, _ in request.headers.pairs if name.startswith("x-amz-")} - signed)
    if loose:
        reason = "There were headers present in the request which were not signed"
        raise StorageRefusal(403, "AccessDenied", reason, HeadersNotSigned=", ".join(loose))


def _scope(stamp: str) -> str:
    return f"{stamp[:8]}/{REGION}/s3/aws4_request"


def _signature(
    key: Key, method: str, path: str, query: list[tuple[str, str]], signed: dict[str, str], *, stamp: str
) -> str:
    names = sorted(signed)
    canonical = "\n".join(
        [
            method,
            quote(unquote(path), safe="/-_.~"),
            _encoded(sorted(query)),
            *(f"{name}:{' '.join(signed[name].split())}" for name in names),
            "",
            ";".join(names),
            "UNSIGNED-PAYLOAD",
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join([ALGORITHM, stamp, _scope(stamp), digest])
    return hmac.new(_signing_key(key, stamp), text.encode(), hashlib.sha256).hexdigest()


def _signing_key(key: Key, stamp: str) -> bytes:
    made = b"AWS4" + key.secret.encode()
    for part in _scope(stamp).split("/"):
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    return made


def _encoded(query: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
