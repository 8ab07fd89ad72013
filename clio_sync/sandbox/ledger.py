"""One line for every call, written in the same transaction as what the call did.

The ledger is the oracle of tests and rehearsals. It keeps what was asked and answered, without the secrets:
bearer tokens, codes, client secrets and URL signatures are replaced before they are written.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from clio_sync.sandbox.server import Request, Response
from clio_sync.sandbox.state import Row, State, as_dict

_HIDDEN_HEADERS = {"authorization", "cookie"}
_HIDDEN_FIELDS = {"client_secret", "code", "refresh_token", "access_token", "token", "request"}
_SIGNATURE = re.compile(r"(X-Amz-Signature=)[0-9a-f]+")
_MOST_BODY_BYTES = 256 * 1024


@dataclass
class Entry:
    """What is gathered about a call while it is being answered."""

    listener: str
    route: str
    request: Request
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    token_id: int | None = None
    user_id: int | None = None
    fault_id: int | None = None
    outcome: str = "answered"
    keep_body: bool = True
    started: float = field(default_factory=time.perf_counter)


def write(state: State, entry: Entry, response: Response | None) -> int:
    request = entry.request
    return state.insert(
        "call",
        at=state.stamp(),
        at_s=state.now_s(),
        listener=entry.listener,
        route=entry.route,
        method=request.method,
        path=request.raw_path,
        query=json.dumps(_query(request)),
        headers=json.dumps(_headers(request, entry.token_id)),
        body=_request_body(request) if entry.keep_body else None,
        token_id=entry.token_id,
        user_id=entry.user_id,
        status=response.status if response else None,
        response_headers=json.dumps(dict(_masked(pair) for pair in response.headers) if response else {}),
        response_body=_response_body(response),
        outcome=entry.outcome,
        fault_id=entry.fault_id,
        request_id=entry.request_id,
        milliseconds=round((time.perf_counter() - entry.started) * 1000, 3),
    )


def lines(state: State, *, filters: dict[str, str], since: int, limit: int) -> list[dict[str, Any]]:
    where, args = ["id > ?"], [since]
    for name in ("listener", "route", "method", "status", "outcome", "token_id", "user_id"):
        if name in filters:
            where.append(f"{name} = ?")
            args.append(filters[name])  # type: ignore[arg-type]
    sql = f"SELECT * FROM call WHERE {' AND '.join(where)} ORDER BY id LIMIT ?"  # noqa: S608 - names from the tuple above
    return [_line(row) for row in state.all(sql, *args, limit)]


def _line(row: Row) -> dict[str, Any]:
    line = as_dict(row)
    for name in ("query", "headers", "response_headers"):
        line[name] = json.loads(line[name])
    for name in ("body", "response_body"):
        line[name] = _loaded(line[name])
    return line


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _query(request: Request) -> list[tuple[str, str]]:
    return [(name, "[hidden]" if _is_secret(name) else value) for name, value in request.query.pairs]


def _is_secret(name: str) -> bool:
    return name in _HIDDEN_FIELDS or name == "X-Amz-Signature"


def _headers(request: Request, token_id: int | None) -> dict[str, str]:
    shown = {name: value for name, value in request.headers.pairs if name not in _HIDDEN_HEADERS}
    if "authorization" in request.headers:
        shown["authorization"] = f"[token {token_id}]" if token_id else "[hidden]"
    return shown


def _masked(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = pair
    return name, re.sub(r"([?&]code=)[^&]+", r"\1[hidden]", _SIGNATURE.sub(r"\1[hidden]", value))


def _request_body(request: Request) -> str | None:
    text = request.body[:_MOST_BODY_BYTES].decode("utf-8", "replace")
    if not text:
        return None
    if "form-urlencoded" in (request.headers.get("content-type") or ""):
        return json.dumps(_hide(dict(parse_qsl(text, keep_blank_values=True))))
    return _hidden_json(text)


def _response_body(response: Response | None) -> str | None:
    if response is None or not response.body or "html" in (response.header("Content-Type") or ""):
        return None
    return _hidden_json(response.body[:_MOST_BODY_BYTES].decode("utf-8", "replace"))


def _hidden_json(text: str) -> str:
    content = _loaded(text)
    return json.dumps(_hide(content)) if isinstance(content, dict | list) else text


def _hide(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            name: "[hidden]" if name in _HIDDEN_FIELDS and isinstance(value, str) else _hide(value)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_hide(item) for item in content]
    return _SIGNATURE.sub(r"\1[hidden]", content) if isinstance(content, str) else content
