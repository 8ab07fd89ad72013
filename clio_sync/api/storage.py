"""Sending bytes to, and fetching them from, the storage behind Clio's signed addresses.

Clio names the address; this module decides whether to believe it. A bare client goes there: no access token,
no default headers, exactly the put_headers and a Content-Length (Clio's API reference, Documents, "Upload the
file").
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import socket
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Protocol
from urllib.parse import urlsplit

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from clio_sync.api import errors, limits
from clio_sync.api.errors import (
    StorageAddressRefused,
    StorageBadDigest,
    StorageDenied,
    StorageError,
    StorageExpired,
    StorageTrouble,
)
from clio_sync.api.outbound import outbound_client, raw_chunks, read_body, same_origin
from clio_sync.api.presigned import PutHeaders, header_problem
from clio_sync.api.secret import Secret

Resolver = Callable[[str], Collection[str]]
"""Host name to IP addresses. Raises OSError when there are none."""

Progress = Callable[[int], bool | None]
"""Told how many bytes have been handed to the network so far. Returning False stops the transfer."""


class Body(Protocol):
    """What is sent: a file, or a part of one, read from where it stands."""

    def read(self, size: int, /) -> bytes: ...


CHUNK: Final = 256 * 1024
_ERROR_BYTES: Final = 64 * 1024
_ERROR_SECONDS: Final = 30.0
_PATH_STYLE: Final = re.compile(r"s3[.-][a-z0-9-]+\.amazonaws\.com")
_WILDCARD: Final = re.compile(r"\*\.(s3[.-][a-z0-9-]+\.amazonaws\.com)")
_HOST: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def system_resolver(host: str) -> Collection[str]:
    return {str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """Which storage addresses may be used. Make one with `clio()` or `sandbox()`."""

    hosts: frozenset[str] = frozenset()
    """Hosts that are one bucket."""
    bucket_paths: frozenset[tuple[str, str]] = frozenset()
    """Host and bucket, for addresses that name the bucket first in their path."""
    sandbox_origin: str = ""
    resolve: Resolver = field(default=system_resolver, repr=False)

    @classmethod
    def clio(
        cls, entries: Collection[str], *, buckets: Collection[str] = (), resolve: Resolver = system_resolver
    ) -> StoragePolicy:
        """Real storage: https on port 443, to a listed place that resolves to public addresses only.

        An entry is `bucket.s3.us-east-1.amazonaws.com`, or `s3.us-west-2.amazonaws.com/bucket` where the
        bucket stands in the path, or `*.s3.us-east-1.amazonaws.com` which stands for each of `buckets`.
        Raises ValueError for anything wider: a bare S3 host would let any bucket in the world take the file.
        """
        hosts: set[str] = set()
        paths: set[tuple[str, str]] = set()
        for entry in entries:
            host, _, bucket = entry.strip().lower().partition("/")
            if wildcard := _WILDCARD.fullmatch(host):
                hosts |= {f"{name}.{wildcard[1]}" for name in _buckets(buckets, entry)}
            elif bucket:
                paths |= {(_host(host, entry), name) for name in _buckets([bucket], entry)}
            else:
                hosts.add(_one_bucket(host, entry))
        return cls(frozenset(hosts), frozenset(paths), "", resolve)

    @classmethod
    def sandbox(cls, origin: str) -> StoragePolicy:
        """The local sandbox's storage: exactly this scheme, host and port, http allowed."""
        url = httpx.URL(origin)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.path not in ("", "/"):
            raise ValueError(f"{origin!r} is not an address such as http://127.0.0.1:9001.")
        return cls(sandbox_origin=f"{url.scheme}://{url.netloc.decode('ascii')}")

    @property
    def is_sandbox(self) -> bool:
        return bool(self.sandbox_origin)

    def allow(self, url: httpx.URL) -> None:
        """Raise StorageAddressRefused unless bytes may go to, or come from, this address."""
        if url.userinfo or not self._listed(url):
            raise _refused(url)

    def require_public(self, host: str) -> None:
        """Raise StorageAddressRefused when the host resolves to anything but public addresses.

        A sandbox is exempt. Raises OSError when the name does not resolve.
        """
        if self.is_sandbox:
            return
        if not all(_is_public(address) for address in self.resolve(host)):
            raise StorageAddressRefused(
                f"The storage host {host} leads to a private address. Nothing was sent."
            )

    def _listed(self, url: httpx.URL) -> bool:
        if self.is_sandbox:
            return same_origin(url, httpx.URL(self.sandbox_origin))
        if url.scheme != "https" or url.port not in (None, 443):
            return False
        bucket = url.raw_path.decode("ascii").removeprefix("/").partition("/")[0]
        return url.host in self.hosts or (url.host, bucket) in self.bucket_paths


@dataclass(frozen=True, slots=True)
class TransferResult:
    """What was sent, measured while sending it, and what storage said."""

    bytes_sent: int
    sha256: str
    etag: str
    """Without its quotes; empty when storage sent none."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    size: int
    sha256: str
    content_type: str


class Storage:
    """Puts and fetches bytes at addresses that `policy` lets through."""

    def __init__(self, policy: StoragePolicy, *, transport: httpx.BaseTransport | None = None) -> None:
        self._policy = policy
        self._http = outbound_client(policy.allow, transport=transport)

    def close(self) -> None:
        self._http.close()

    def put(
        self,
        put_url: Secret,
        put_headers: PutHeaders,
        body: Body,
        *,
        size: int,
        sha256: str = "",
        on_progress: Progress | None = None,
        seconds: float | None = None,
    ) -> TransferResult:
        """Send exactly `size` bytes of `body`, from where it stands, in one PUT that is never chunked.

        The last bytes are held back until the count, and `sha256` if given, are known to be right: a file
        that is shorter, longer or other than announced raises BytesChanged and leaves nothing in storage.
        `seconds` bounds the whole transfer. Raises StorageError; StorageUnreachable is ambiguous only when
        all bytes had left.
        """
        if size < 1:
            raise ValueError("There is nothing to send: an empty file is not filed.")
        headers = _exact_headers(put_headers, size)
        self._policy_allows(put_url)
        outgoing = _Outgoing(body, size=size, sha256=sha256, on_progress=on_progress, seconds=seconds)
        answer = self._exchange("PUT", put_url, headers, outgoing)
        if isinstance(answer, StorageError):
            raise answer
        return outgoing.result(answer.get("etag", "").strip('"'))

    def fetch(self, url: Secret, into: BinaryIO, *, most: int) -> Downloaded:
        """Copy what is at a signed address into a file. Raises StorageDenied when longer than `most`."""
        self._policy_allows(url)
        incoming = _Incoming(into, most=most)
        answer = self._exchange("GET", url, [("Accept-Encoding", "identity")], incoming)
        if isinstance(answer, StorageError):
            raise answer
        return incoming.result(answer.get("content-type", ""))

    def _policy_allows(self, url: Secret) -> None:
        problem = self._address_problem(url)
        if problem:
            raise problem

    # Errors below are returned, not raised: no traceback may run through a frame that holds the address.

    def _address_problem(self, url: Secret) -> StorageError | None:
        parsed = parse_signed(url)
        if parsed is None:
            return StorageAddressRefused()
        try:
            self._policy.allow(parsed)
            self._policy.require_public(parsed.host)
        except StorageAddressRefused as refused:
            return StorageAddressRefused(refused.sentence)
        except OSError:
            return errors.StorageUnreachable(route="storage")
        return None

    def _exchange(
        self, method: str, url: Secret, headers: list[tuple[str, str]], cargo: _Outgoing | _Incoming
    ) -> httpx.Headers | StorageError:
        route = f"{method} storage"
        try:
            # A Request made by hand carries these headers and Host, and none of the client's own.
            body = cargo if isinstance(cargo, _Outgoing) else None
            request = httpx.Request(method, url.reveal(), headers=headers, content=body)
            response = self._http.send(request, stream=True)
            try:
                return _settle(response, route, cargo)
            finally:
                response.close()
        except _Stop as stop:
            return stop.error
        except StorageAddressRefused as refused:
            return StorageAddressRefused(refused.sentence)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
            return errors.StorageUnreachable(route=route, ambiguous=cargo.may_be_stored)


class _Stop(Exception):
    """Breaks off a request from inside its own body, so that storage keeps nothing. Never seen outside."""

    def __init__(self, error: StorageError) -> None:
        self.error = error
        super().__init__()


class _Outgoing:
    """The body of a PUT: counts and hashes what it hands out, and keeps the end back until all of it is
    right.
    """

    def __init__(
        self, body: Body, *, size: int, sha256: str, on_progress: Progress | None, seconds: float | None
    ) -> None:
        self._body = body
        self._size = size
        self._expected = sha256
        self._on_progress = on_progress
        self._give_up = time.monotonic() + seconds if seconds else None
        self._sha256 = hashlib.sha256()
        self._taken = 0
        self._sent = 0
        self.may_be_stored = False
        """The last byte has been handed to the network: from here on storage may have the object."""

    def __iter__(self) -> Iterator[bytes]:
        held = self._take()
        while held:
            following = self._take()
            self.may_be_stored = not following
            yield held
            self._sent += len(held)
            self._report()
            held = following

    @property
    def is_sent(self) -> bool:
        return self._sent == self._size

    def result(self, etag: str) -> TransferResult:
        return TransferResult(self._sent, self._sha256.hexdigest(), etag)

    def _take(self) -> bytes:
        if self._give_up and time.monotonic() > self._give_up:
            raise _Stop(errors.StorageUnreachable(route="PUT storage"))
        try:
            chunk = self._body.read(CHUNK)
        except OSError:
            raise _Stop(
                errors.BytesChanged("The file to send could not be read. Nothing was stored.")
            ) from None
        self._sha256.update(chunk)
        self._taken += len(chunk)
        if self._taken > self._size or not (chunk or self._is_whole()):
            raise _Stop(errors.BytesChanged(route="PUT storage"))
        return chunk

    def _is_whole(self) -> bool:
        return self._taken == self._size and self._expected in ("", self._sha256.hexdigest())

    def _report(self) -> None:
        if self._on_progress and self._on_progress(self._sent) is False and not self.may_be_stored:
            raise _Stop(errors.TransferStopped(route="PUT storage"))


class _Incoming:
    """Where a GET goes: counts, hashes and stops at the limit."""

    may_be_stored = False

    def __init__(self, into: BinaryIO, *, most: int) -> None:
        self._into = into
        self._most = most
        self._size = 0
        self._sha256 = hashlib.sha256()

    def take(self, response: httpx.Response) -> None:
        for chunk in raw_chunks(response):
            self._size += len(chunk)
            if self._size > self._most:
                raise _Stop(
                    StorageDenied("The file in Clio is longer than this portal accepts.", route="GET storage")
                )
            self._sha256.update(chunk)
            self._write(chunk)

    def result(self, content_type: str) -> Downloaded:
        return Downloaded(self._size, self._sha256.hexdigest(), content_type)

    def _write(self, chunk: bytes) -> None:
        try:
            self._into.write(chunk)
        except OSError:
            raise _Stop(
                StorageError("The file could not be written down here.", route="GET storage")
            ) from None


def _settle(
    response: httpx.Response, route: str, cargo: _Outgoing | _Incoming
) -> httpx.Headers | StorageError:
    if response.status_code != 200:
        return _storage_error(response, route)
    if isinstance(cargo, _Incoming):
        cargo.take(response)
    elif not cargo.is_sent:
        return StorageTrouble(status=200, route=route, ambiguous=True)
    return response.headers


def _storage_error(response: httpx.Response, route: str) -> StorageError:
    """S3's answer as one of our errors (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)."""
    name, message = _s3_error(read_body(response, most=_ERROR_BYTES, seconds=_ERROR_SECONDS).content)
    kind = _kind(response.status_code, name, message)
    return kind(
        status=response.status_code,
        error_type=name,
        request_id=response.headers.get("x-amz-request-id", ""),
        route=route,
        retry_after=limits.read_retry_after(response.headers) if kind is StorageTrouble else None,
    )


def _kind(status: int, name: str, message: str) -> type[StorageError]:
    if status == 403 and (name == "ExpiredToken" or "expired" in message.lower()):
        return StorageExpired
    if name in _DAMAGED:
        return StorageBadDigest
    if name in _PASSING or status in (408, 429) or (status >= 500 and status != 501) or status < 300:
        return StorageTrouble
    return StorageDenied


_DAMAGED: Final = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
_PASSING: Final = {"RequestTimeout", "IncompleteBody", "SlowDown", "OperationAborted", "InternalError"}


def _s3_error(content: bytes) -> tuple[str, str]:
    """Code and Message of an S3 error, or two empty texts when it is anything else."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return "", ""
    return (root.findtext("Code") or "").strip(), (root.findtext("Message") or "").strip()


# Addresses


def parse_signed(url: Secret) -> httpx.URL | None:
    """The address as the HTTP client reads it, or None when two readers could disagree on where it leads."""
    text = url.reveal()
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/[!-~]{0,8000}", text) or re.search(
        r"[\\#\"<>^`{|}]", text
    ):
        return None
    try:
        parsed, again = httpx.URL(text), urlsplit(text)
        agreed = (parsed.scheme, parsed.host, parsed.port or _port_of(parsed)) == (
            again.scheme,
            again.hostname,
            again.port or _port_of(parsed),
        )
    except (httpx.InvalidURL, ValueError):
        return None
    return parsed if agreed else None


def _port_of(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80


def _refused(url: httpx.URL) -> StorageAddressRefused:
    """Names the host, which is no secret and is what an admin has to add, and nothing else of the address."""
    host = url.host if _HOST.fullmatch(url.host) else "unknown"
    return StorageAddressRefused(
        f"Clio named the storage host {host}, which with that bucket is not on this portal's list."
    )


def _exact_headers(put_headers: PutHeaders, size: int) -> list[tuple[str, str]]:
    problem = header_problem(put_headers)
    if problem:
        raise StorageDenied("Clio asked for headers that this portal does not send. Nothing was sent.")
    announced = [value for name, value in put_headers if name.lower() == "content-length"]
    if announced and announced != [str(size)]:
        raise errors.BytesChanged("The file is not as long as was announced to Clio. Nothing was stored.")
    return [*put_headers] if announced else [*put_headers, ("Content-Length", str(size))]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = ip.ipv4_mapped or ip.sixtofour if isinstance(ip, ipaddress.IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (inner is None or inner.is_global)


def _buckets(names: Collection[str], entry: str) -> set[str]:
    if not names or not all(_BUCKET.fullmatch(name) for name in names):
        raise ValueError(f"{entry!r} needs the names of its buckets.")
    return set(names)


def _host(host: str, entry: str) -> str:
    if not _HOST.fullmatch(host) or re.fullmatch(r"[0-9.]+", host):
        raise ValueError(f"{entry!r} is not a storage host such as bucket.s3.us-east-1.amazonaws.com.")
    return host


def _one_bucket(host: str, entry: str) -> str:
    if _PATH_STYLE.fullmatch(host) or host == "s3.amazonaws.com":
        raise ValueError(f"{entry!r} is open to any bucket: write {host}/bucket instead.")
    return _host(host, entry)
