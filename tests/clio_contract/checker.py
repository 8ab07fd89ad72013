"""Holds a call against Clio's own contract: is this request one Clio knows, is this answer one Clio gives?

    assert problems(Exchange("GET", "/api/v4/matters.json", status=200, answer={...})) == []
    assert problems_of(sandbox.calls()) == []          # what the sandbox answered, and what it accepted
    assert request_problems_of(sandbox.calls()) == []  # what our client asked, also where it was refused

The contract (``contract.json``) is Clio's OpenAPI document without its prose. Every key must be known, every
type and enum right, every required key present. Null is allowed where Clio says "empty", which its schema
cannot express.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

CONTRACT = json.loads((Path(__file__).parent / "contract.json").read_text())
BASE = "/api/v4"

# Documented in prose, or plain HTTP, and not declared for each operation.
_ALWAYS_POSSIBLE = {401, 404, 410, 422, 429, 500, 502, 503, 504}
_BEYOND_CONTRACT = {"offset"}  # documented on the paging page, absent from the operations
_KEYWORD_NULL = {"contact_id", "matter_id", "parent_id", "document_category_id"}
# The guide's samples and the schema disagree here; Clio takes both.
_EITHER: dict[str, dict[str, Any]] = {
    "content_length": {"type": ["string", "integer"]},
    "fully_uploaded": {"enum": [True, False, "true", "false"]},
}
_META: dict[str, Any] = {
    "type": "object",
    "properties": {
        "paging": {
            "type": "object",
            "properties": {"next": {"type": "string"}, "previous": {"type": "string"}},
            "additionalProperties": False,
        },
        "records": {"type": "integer"},
    },
    "required": ["paging"],
    "additionalProperties": False,
}
_STRING_ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {"error": {"const": "invalid_token"}, "error_description": {"type": "string"}},
    "required": ["error", "error_description"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Any = None
    status: int | None = None
    answer: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


def problems_of(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """The same for lines of the sandbox's ledger; calls that are not Clio's API are passed over."""
    return [
        problem for call in calls if call["path"].startswith(f"{BASE}/") for problem in problems(_read(call))
    ]


def request_problems_of(calls: Iterable[Mapping[str, Any]]) -> list[str]:
    """Only the requests, and every one of them: a client must not send what Clio does not know."""
    asked = [_read(call) for call in calls if call["path"].startswith(f"{BASE}/")]
    return [problem for exchange in asked for problem in request_problems(exchange)]


def _read(call: Mapping[str, Any]) -> Exchange:
    return Exchange(
        call["method"],
        call["path"],
        query=[(name, value) for name, value in call["query"]],
        body=call["body"],
        status=call["status"] if call["outcome"] == "answered" and call["fault_id"] is None else None,
        answer=call["response_body"],
        headers=call["headers"],
    )


def problems(exchange: Exchange) -> list[str]:
    """What is wrong with it, in sentences. Nonsense may be asked, as long as it is refused."""
    operation = _operation(exchange)
    if operation is None:
        return [] if exchange.status in {401, 404} else [f"{exchange}: Clio has no such operation"]
    asked = [] if _is_refusal(exchange) else request_problems(exchange)
    told = [] if exchange.status is None else _answer_problems(exchange, operation)
    return [*asked, *(f"{exchange}: {problem}" for problem in told)]


def request_problems(exchange: Exchange) -> list[str]:
    operation = _operation(exchange)
    if operation is None:
        return [f"{exchange}: Clio has no such operation"]
    found = [*_query_problems(exchange, operation), *_body_problems(exchange, operation)]
    return [f"{exchange}: {problem}" for problem in found]


def _operation(exchange: Exchange) -> Mapping[str, Any] | None:
    template = _template(exchange.path)
    found: Mapping[str, Any] | None = CONTRACT["paths"].get(template or "", {}).get(exchange.method.lower())
    return found


def _is_refusal(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500


# Paths.


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    literal_first = sorted(CONTRACT["paths"], key=lambda path: path.count("{"))
    return [(path, _pattern(path)) for path in literal_first]


def _pattern(path: str) -> re.Pattern[str]:
    bare = re.escape(path.removesuffix(".json")).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(f"^{re.escape(BASE)}" + re.sub(r"{[^}]+}", "[0-9]+", bare) + r"(\.json)?$")


def _template(path: str) -> str | None:
    return next((template for template, pattern in _patterns() if pattern.match(path)), None)


# Requests.


def _query_problems(exchange: Exchange, operation: Mapping[str, Any]) -> list[str]:
    known = {
        item["name"]: item["schema"] for item in operation.get("parameters", ()) if item["in"] == "query"
    }
    found = [
        f"query {name}={value}: {problem}"
        for name, value in exchange.query
        if (problem := _parameter_problem(name, value, known))
    ]
    return [*found, *_fields_problems(exchange, operation), *_header_problems(exchange, operation)]


def _parameter_problem(name: str, value: str, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    if name in _BEYOND_CONTRACT:
        return None
    if name not in known:
        return "Clio has no such parameter here"
    if value == "null" and name in _KEYWORD_NULL:
        return None
    schema = known[name]
    if "enum" in schema and name != "query":
        wrong = set(value.split(",")) - set(schema["enum"])
        return f"not among {schema['enum']}" if wrong else None
    return None if _reads_as(value, schema) else f"not a {schema.get('format') or schema['type']}"


def _reads_as(value: str, schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "integer":
        return re.fullmatch(r"-?[0-9]+", value) is not None
    if schema["type"] == "boolean":
        return value in {"true", "false"}
    if schema.get("format") == "date-time":
        return _is_date_time(value)
    return True


def _fields_problems(exchange: Exchange, operation: Mapping[str, Any]) -> list[str]:
    asked = dict(exchange.query).get("fields")
    schema = _answer_schema(operation, "200") or _answer_schema(operation, "201")
    if not asked or schema is None:
        return []
    data = schema["properties"]["data"]
    record = data.get("items", data)
    return [f"fields: {name} is unknown" for name in _names(asked) if not _holds(record, name)]


def _names(asked: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, inner in re.findall(r"([\w]+)(?:{([^}]*)})?", asked):
        found += [(name, nested) for nested in inner.split(",")] if inner else [(name,)]
    return found


def _holds(schema: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    for name in names:
        properties = schema.get("items", schema).get("properties", {})
        if name not in properties:
            return False
        schema = properties[name]
    return True


def _header_problems(exchange: Exchange, operation: Mapping[str, Any]) -> list[str]:
    """Conditional headers work only where Clio declares them."""
    known = {item["name"].lower() for item in operation.get("parameters", ()) if item["in"] == "header"}
    conditional = {"if-match", "if-none-match", "if-modified-since"}
    sent = {name.lower() for name in exchange.headers} & conditional
    return [f"header {name}: Clio does not know it here" for name in sorted(sent - known)]


def _body_problems(exchange: Exchange, operation: Mapping[str, Any]) -> list[str]:
    if "requestBody" not in operation:
        return ["a body where Clio takes none"] if exchange.body else []
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return _violations(exchange.body, _strict(schema, nullable=False), what="request")


# Answers.


def _answer_problems(exchange: Exchange, operation: Mapping[str, Any]) -> list[str]:
    status = str(exchange.status)
    if status not in operation["responses"] and exchange.status not in _ALWAYS_POSSIBLE:
        return [f"Clio does not declare the status {status} here"]
    if exchange.status in {204, 303, 304}:
        return ["a body where Clio sends none"] if exchange.answer else []
    if (
        exchange.status == 401
        and isinstance(exchange.answer, dict)
        and isinstance(exchange.answer["error"], str)
    ):
        return _violations(exchange.answer, _STRING_ERROR, what="answer")
    if exchange.status is not None and exchange.status >= 400:
        return _violations(exchange.answer, _error_schema(), what="answer")
    schema = _answer_schema(operation, status)
    return _violations(exchange.answer, schema, what="answer") if schema else []


def _answer_schema(operation: Mapping[str, Any], status: str) -> dict[str, Any] | None:
    content = operation["responses"].get(status, {}).get("content")
    if content is None:
        return None
    schema = _strict(next(iter(content.values()))["schema"], nullable=True)
    if schema["properties"]["data"].get("items"):
        schema["properties"]["meta"] = _META
    schema["type"] = "object"
    return schema


def _error_schema() -> dict[str, Any]:
    return _strict({"$ref": "#/components/schemas/Error"}, nullable=False)


# Schemas made strict.


def _strict(schema: Mapping[str, Any], *, nullable: bool) -> dict[str, Any]:
    """The same schema with every key it does not name forbidden, at every depth."""
    if "$ref" in schema:
        return _strict(_component(schema["$ref"]), nullable=nullable)
    if "allOf" in schema:
        return _strict(_merged(schema["allOf"]), nullable=nullable)
    kind = schema.get("type")
    if kind == "object":
        return _strict_object(schema, nullable=nullable)
    made = {key: value for key, value in schema.items() if key in {"enum", "format"}}
    if kind == "array":
        made["items"] = _strict(schema["items"], nullable=nullable)
    if nullable and "enum" in made:
        made["enum"] = [*made["enum"], None]
    return {**made, **({"type": [kind, "null"] if nullable else kind} if kind else {})}


def _strict_object(schema: Mapping[str, Any], *, nullable: bool) -> dict[str, Any]:
    properties = {
        name: _EITHER[name] if name in _EITHER and not nullable else _strict(inner, nullable=nullable)
        for name, inner in schema.get("properties", {}).items()
    }
    if nullable and "id" in properties:
        properties["redacted"] = {"const": True}
    return {
        "type": ["object", "null"] if nullable else "object",
        "properties": properties,
        "required": schema.get("required", []),
        "additionalProperties": False,
    }


def _component(reference: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = CONTRACT["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    for part in parts:
        whole = _component(part["$ref"]) if "$ref" in part else part
        made["properties"] |= whole.get("properties", {})
        made["required"] += whole.get("required", [])
    return made


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time")
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or _parses(datetime.fromisoformat, value)


@_FORMATS.checks("date")
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or _parses(date.fromisoformat, value)


@_FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_FORMATS.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _parses(read: Any, value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def _violations(value: Any, schema: Mapping[str, Any], *, what: str) -> list[str]:
    validator = Draft202012Validator(schema, format_checker=_FORMATS)
    return [f"{what} {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]
