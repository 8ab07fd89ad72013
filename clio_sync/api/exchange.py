"""One request to a Clio host and its answer: sent once, read within bounds, and judged.

Nothing here knows a resource. Errors are built here and raised by the caller, so that no traceback runs
through a frame that holds a token or an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import httpx

from clio_sync.api import errors, limits
from clio_sync.api.errors import ClioError, ClioSurprised
from clio_sync.api.outbound import API_BYTES, API_SECONDS, Body, read_body
from clio_sync.api.reading import Fields, Surprise, parse_object
from clio_sync.api.secret import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask. `route` is the path with ids taken out, for logs and limits."""

    method: str
    route: str
    url: str = field(repr=False)
    json: Mapping[str, object] | None = field(default=None, repr=False)
    form: Mapping[str, Secret | str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    changes: bool | None = None
    """Whether it changes something at Clio; by default, whether the method does."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def is_write(self) -> bool:
        return self.method != "GET" if self.changes is None else self.changes


@dataclass(frozen=True, slots=True)
class Answer:
    call: Call
    status: int
    headers: httpx.Headers = field(repr=False)
    body: Body = field(repr=False)

    @property
    def request_id(self) -> str:
        return errors.reference(self.headers.get("x-request-id"))

    @property
    def answered_at(self) -> float:
        return limits.answered_at(self.headers)


def send(
    http: httpx.Client, call: Call, token: Secret | None = None, *, seconds: float = API_SECONDS
) -> Answer | errors.Unreachable:
    """Send once. What cannot have reached Clio is not ambiguous; what may have, is, when the call is a write.

    Raises AddressRefused when the address is not the connection's own.
    """
    try:
        response = http.send(_request(http, call, token), stream=True)
        try:
            body = read_body(response, most=API_BYTES, seconds=seconds)
            return Answer(call, response.status_code, response.headers, body)
        finally:
            response.close()
    except _NEVER_SENT:
        return errors.Unreachable(route=call.name)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
        return errors.Unreachable(route=call.name, ambiguous=call.is_write)


def failure(answer: Answer) -> ClioError | None:
    """What the status says went wrong, or None for 2xx (docs: Clio's API reference, error responses)."""
    if 200 <= answer.status < 300:
        return None
    if answer.status < 400:
        return _surprised(answer, Surprise("the answer", "is a redirect, which the portal does not follow"))
    told = _told(answer)
    kind = _kind(answer.status)
    waits = issubclass(kind, errors.RetryLater)
    return kind(
        _sentence(kind, told.attributes),
        status=answer.status,
        error_type=told.type,
        request_id=answer.request_id,
        route=answer.call.name,
        ambiguous=answer.call.is_write and kind is errors.ServerTrouble,
        retry_after=limits.read_retry_after(answer.headers) if waits else None,
        attributes=told.attributes,
    )


def upload_failure(answer: Answer) -> ClioError | None:
    """As `failure`, for the call that confirms an upload, whose own errors come with a status nobody
    documents.

    Clio names them UploadNotFoundError and UploadTimeoutError; the type decides, and the documented wording
    where the type is another. "Already marked" has no documented type at all.
    """
    if 200 <= answer.status < 400 or answer.status in (401, 403, 429):
        return failure(answer)
    told = _told(answer)
    kind = _upload_kind(told.type, told.message)
    if kind is None or (answer.status >= 500 and not told.type.startswith("Upload")):
        return failure(answer)
    return kind(
        status=answer.status, error_type=told.type, request_id=answer.request_id, route=answer.call.name
    )


def read(answer: Answer, parse: Callable[[Fields], T]) -> T | ClioSurprised:
    """The answer's JSON through `parse`. On a write, an unreadable answer leaves the outcome open."""
    try:
        return parse(_object(answer))
    except Surprise as surprise:
        return _surprised(answer, surprise)


def read_data(answer: Answer, parse: Callable[[Fields], T]) -> T | ClioSurprised:
    """As `read`, for an answer about one record, which Clio wraps in `data`."""
    return read(answer, lambda body: parse(body.child("data")))


def _request(http: httpx.Client, call: Call, token: Secret | None) -> httpx.Request:
    headers = {"Accept": "application/json", **call.headers}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    form = {name: _plain(value) for name, value in call.form.items()} if call.form is not None else None
    return http.build_request(call.method, call.url, json=call.json, data=form, headers=headers)


def _plain(value: Secret | str) -> str:
    return value.reveal() if isinstance(value, Secret) else value


_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

_KINDS: Final[dict[int, type[ClioError]]] = {
    401: errors.TokenRejected,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.ServerTrouble,
    409: errors.Conflict,
    410: errors.VersionGone,
    412: errors.StaleEtag,
    425: errors.ServerTrouble,
    429: errors.RateLimited,
}


def _kind(status: int) -> type[ClioError]:
    return _KINDS.get(status, errors.ServerTrouble if status >= 500 else errors.Invalid)


def _upload_kind(error_type: str, message: str) -> type[ClioError] | None:
    said = message.lower()
    if error_type == "UploadNotFoundError" or said.startswith("a matching remote file was not found"):
        return errors.UploadNotFound
    if error_type == "UploadTimeoutError" or said.startswith("a timeout occurred verifying"):
        return errors.UploadTimeout
    return errors.AlreadyUploaded if "already" in f"{error_type} {said}".lower() else None


def _sentence(kind: type[ClioError], attributes: tuple[str, ...]) -> str:
    if kind is errors.Invalid and attributes:
        return f"Clio refused the request: it objects to {', '.join(attributes)}."
    return ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What an error body says. `message` may quote a client: it is looked at here and goes no further."""

    type: str = ""
    message: str = field(default="", repr=False)
    attributes: tuple[str, ...] = ()


def _told(answer: Answer) -> _Told:
    """Both shapes Clio uses: `{"error": {"type": ..}}` and, for a bad token, `{"error": "invalid_token"}`."""
    try:
        body = _object(answer)
        shaped = body.names("error")
        if not shaped:
            return _Told(body.maybe_text("error") or "")
        error = body.child("error")
        return _Told(error.maybe_text("type") or "", error.maybe_text("message") or "", _attributes(error))
    except Surprise:
        return _Told()


def _attributes(error: Fields) -> tuple[str, ...]:
    names = (name for name in error.names("errors") if re.fullmatch(r"[a-z][a-z_]{0,39}", name))
    return tuple(sorted(names))[:10]


def _object(answer: Answer) -> Fields:
    body = answer.body
    if body.too_long:
        raise Surprise("the body", "is longer than any answer the portal asks for")
    if body.undecodable:
        raise Surprise("the body", "is packed in a way that cannot be read")
    return parse_object(body.content, answered_at=answer.answered_at)


def _surprised(answer: Answer, surprise: Surprise) -> ClioSurprised:
    return ClioSurprised(
        surprise.field,
        surprise.problem,
        status=answer.status,
        request_id=answer.request_id,
        route=answer.call.name,
        ambiguous=answer.call.is_write,
    )
