"""The one door out: every call to Clio and to its storage leaves through a client made here.

It follows no redirect, reads no proxy or netrc from the environment, verifies TLS, gives up after a while,
reads no more than it was told to, and asks an allow-list before each request, whoever built it.
"""

from __future__ import annotations

import logging
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx

from clio_sync.api.errors import AddressRefused

SILENCE: Final = 30.0
"""Seconds that the other side may take to say, or to take in, anything at all."""
TIMEOUT: Final = httpx.Timeout(SILENCE, connect=5.0, pool=5.0)
API_SECONDS: Final = 60.0
"""Longest a whole call to the API may take, however slowly the answer trickles in."""
API_BYTES: Final = 5 * 1024 * 1024
"""Longest answer of the API that is read, after decompression."""

Allow = Callable[[httpx.URL], None]
"""Raises AddressRefused unless the portal may call this address."""


def outbound_client(
    allow: Allow, *, transport: httpx.BaseTransport | None = None, timeout: httpx.Timeout = TIMEOUT
) -> httpx.Client:
    """A client that can only reach what `allow` lets through. `transport` replaces the network in tests."""
    keep_library_logs_quiet()
    inner = transport or httpx.HTTPTransport(verify=_tls(), trust_env=False)
    return httpx.Client(
        transport=_Guarded(allow, inner),
        follow_redirects=False,
        trust_env=False,
        timeout=timeout,
        headers=_HEADERS,
    )


def only_origin(origin: str) -> Allow:
    """Allow one scheme, host and port and nothing else, not even a user name before the host."""
    home = httpx.URL(origin)

    def allow(url: httpx.URL) -> None:
        if url.userinfo or not same_origin(url, home):
            raise AddressRefused

    return allow


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, _port(one)) == (other.scheme, other.host, _port(other))


@dataclass(frozen=True, slots=True)
class Body:
    """What was read of an answer, and whether it is the whole of it."""

    content: bytes = field(repr=False)
    too_long: bool = False
    undecodable: bool = False


def read_body(response: httpx.Response, *, most: int, seconds: float) -> Body:
    """Read at most `most` bytes within `seconds` and decompress no further than that.

    Raises httpx.ReadTimeout when the answer trickles in too slowly, and httpx's own errors when it breaks
    off.
    """
    packed = not response.is_stream_consumed and response.headers.get("content-encoding", "").strip().lower()
    raw = bytearray()
    for chunk in _in_time(response, seconds):
        raw += chunk
        if len(raw) > most:
            return Body(b"", too_long=True)
    return _plain(bytes(raw), packed or "identity", most)


def raw_chunks(response: httpx.Response) -> Iterator[bytes]:
    """The answer as it comes off the wire, or at once from a transport that answers out of memory."""
    return iter([response.content]) if response.is_stream_consumed else response.iter_raw()


def _in_time(response: httpx.Response, seconds: float) -> Iterator[bytes]:
    give_up = time.monotonic() + seconds
    for chunk in raw_chunks(response):
        if time.monotonic() > give_up:
            raise httpx.ReadTimeout("The answer took too long.")
        yield chunk


def _plain(raw: bytes, encoding: str, most: int) -> Body:
    """Identity is what we ask for; gzip is understood all the same, but a bomb is not unpacked."""
    if encoding == "identity":
        return Body(raw)
    if encoding not in ("gzip", "x-gzip"):
        return Body(b"", undecodable=True)
    unpack = zlib.decompressobj(wbits=31)
    try:
        content = unpack.decompress(raw, most + 1)
    except zlib.error:
        return Body(b"", undecodable=True)
    if len(content) > most:
        return Body(b"", too_long=True)
    return Body(content, undecodable=not unpack.eof)


class _Guarded(httpx.BaseTransport):
    def __init__(self, allow: Allow, inner: httpx.BaseTransport) -> None:
        self._allow = allow
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._allow(request.url)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


_HEADERS: Final = {"User-Agent": "Countersign", "Accept-Encoding": "identity"}
_PORTS: Final = {"http": 80, "https": 443}


def _port(url: httpx.URL) -> int | None:
    return url.port or _PORTS.get(url.scheme)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(verify=True, trust_env=False)


def keep_library_logs_quiet() -> None:
    """Stop httpx and httpcore from logging addresses and headers, whatever level the site's logging asks for.

    httpx writes each address at INFO, signature and all; httpcore writes headers at DEBUG.
    """
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
        logger = logging.getLogger(name)
        if _warnings_only not in logger.filters:
            logger.addFilter(_warnings_only)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)


def _warnings_only(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
