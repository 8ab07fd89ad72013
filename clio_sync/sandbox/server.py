"""HTTP/1.1 on one listener: reads a request, asks the application, sends the answer.

It can also misbehave on purpose (``Response.mishap``): say nothing, stop half way, or hang up afterwards.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_DRAIN_BYTES = 1 << 18
_MOST_JSON_BYTES = 16 << 20


class IncompleteBody(Exception):
    """The client stopped before the number of bytes it had announced."""


class Headers:
    """Request headers in the order they came; names in lower case."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = [(name.lower(), value) for name, value in pairs]

    def get(self, name: str) -> str | None:
        values = [value for known, value in self.pairs if known == name.lower()]
        return ", ".join(values) if values else None

    def __contains__(self, name: object) -> bool:
        return any(known == str(name).lower() for known, _ in self.pairs)


class Query:
    """The query string, decoded; a name may stand more than once."""

    def __init__(self, text: str) -> None:
        self.pairs = parse_qsl(text, keep_blank_values=True)

    def get(self, name: str) -> str | None:
        return next((value for known, value in self.pairs if known == name), None)

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.pairs if known == name]


@dataclass
class Request:
    method: str
    target: str  # as it came over the wire, percent-encoded
    headers: Headers
    source: BufferedIOBase
    remaining: int  # bytes of the body not read yet; -1 for a chunked body

    @cached_property
    def raw_path(self) -> str:
        return urlsplit(self.target).path

    @cached_property
    def path(self) -> str:
        return unquote(self.raw_path)

    @cached_property
    def query_text(self) -> str:
        return urlsplit(self.target).query

    @cached_property
    def query(self) -> Query:
        return Query(self.query_text)

    @cached_property
    def body(self) -> bytes:
        """The whole body, for calls whose bodies are small."""
        if self.remaining > _MOST_JSON_BYTES:
            self.drain()
            return b""
        return b"".join(self.chunks())

    def chunks(self) -> Iterable[bytes]:
        """The body in pieces, so that its size never matters to memory."""
        if "body" in vars(self):  # a fault has looked into it
            yield self.body
            return
        while self.remaining > 0:
            piece = self.source.read1(min(self.remaining, _DRAIN_BYTES))
            if not piece:
                self.remaining = 0
                raise IncompleteBody
            self.remaining -= len(piece)
            yield piece

    def drain(self) -> None:
        """Swallow what is left of the body, so that the client reads the answer instead of a reset."""
        if self.remaining < 0:
            self._drain_chunked()
        for _ in self.chunks():
            pass

    def _drain_chunked(self) -> None:
        self.remaining = 0
        while size := int(self.source.readline(100).split(b";")[0].strip() or b"0", 16):
            while size > 0:
                piece = self.source.read(min(size, _DRAIN_BYTES))
                if not piece:
                    return
                size -= len(piece)
            self.source.readline(4)
        while self.source.readline(1000).strip():
            pass


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    stream: Iterable[bytes] | None = field(default=None, repr=False)
    length: int | None = None
    mishap: str = ""  # "", "vanish", "truncate" or "hang_up"

    def with_headers(self, *more: tuple[str, str]) -> Response:
        return replace(self, headers=(*self.headers, *more))

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


def json_response(status: int, content: Any, *headers: tuple[str, str]) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, (("Content-Type", "application/json; charset=utf-8"), *headers))


def html_response(status: int, page: str, *headers: tuple[str, str]) -> Response:
    return Response(status, page.encode(), (("Content-Type", "text/html; charset=utf-8"), *headers))


Application = Callable[[Request], Response]


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, application: Application, *, name: str) -> None:
        super().__init__((host, port), _Handler)
        self.application = application
        self.server_title = name

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is ordinary here; anything else should be seen."""
        import sys  # noqa: PLC0415

        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Listener

    def _serve(self) -> None:
        request = self._read()
        try:
            response = self.server.application(request)
        except IncompleteBody:
            response = Response(0, mishap="vanish")
        if response.mishap == "vanish":
            self._hang_up()
            return
        self._finish_reading(request)
        self._send(response)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: curl waits a second for this before it sends a large one anyway."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _read(self) -> Request:
        chunked = "chunked" in (self.headers.get("Transfer-Encoding") or "").lower()
        length = self.headers.get("Content-Length") or "0"
        remaining = -1 if chunked else int(length) if length.isdigit() else 0
        return Request(self.command, self.path, Headers(self.headers.items()), self.rfile, remaining)

    def _finish_reading(self, request: Request) -> None:
        try:
            request.drain()
        except (IncompleteBody, ValueError):
            self.close_connection = True

    def _send(self, response: Response) -> None:
        length = len(response.body) if response.length is None else response.length
        if response.mishap == "hang_up":
            self._hold_back()
        self.wfile.write(self._head(response, length))
        if self.command == "HEAD" or response.status in {204, 304}:
            return
        self._send_body(response)
        if response.mishap == "hang_up":
            self._hang_up()

    def _head(self, response: Response, length: int) -> bytes:
        lines = [
            f"HTTP/1.1 {response.status} {_reason(response.status)}",
            f"Date: {formatdate(usegmt=True)}",
            f"Server: {self.server.server_title}",
        ]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if response.status not in {204, 304}:
            lines.append(f"Content-Length: {length}")
        if self.close_connection and not response.mishap:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _send_body(self, response: Response) -> None:
        if response.mishap == "truncate":
            self.wfile.write(response.body[: len(response.body) // 2])
            self._hang_up()
            return
        for piece in response.stream or (response.body,):
            self.wfile.write(piece)
        self.wfile.flush()

    def _hold_back(self) -> None:
        """Let the last bytes and the end of the connection travel together: no client sees only one."""
        if hasattr(socket, "TCP_CORK"):
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class named it
        """The ledger is the log."""


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
