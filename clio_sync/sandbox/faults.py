"""Planned misfortune: which calls go wrong, how, and how often. Plans survive a kill, like everything else.

A plan is JSON. ``route`` chooses the calls: a route's name (``documents.create``) or ``METHOD /path`` with
``*`` as a wildcard (``PATCH /api/v4/documents/*``, without ``.json`` and query). ``kind`` is one of

``delay``        wait ``seconds`` before acting (``after: true``: after acting, before answering)
``status``       answer ``status``, ``body``, ``headers`` without acting (``act: true``: act, then lie)
``lose_before``  hang up without acting or answering
``lose_after``   act, then hang up without answering
``truncate``     act, then stop in the middle of the body
``close``        act and answer, then hang up without having said so
``wrong_json``   act, then answer ``body`` (or some HTML) as if it were the JSON that was asked for

``count`` (default 1, null for always) says how often it fires, ``nth`` from which matching call on, and
``probability`` with ``seed`` makes chance that can be repeated. ``contains`` narrows to requests that hold
this text, ``document`` to calls about the document of this name, in the API and in storage.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any

from clio_sync.sandbox.server import Request, Response
from clio_sync.sandbox.state import State, as_dict

KINDS = ("delay", "status", "lose_before", "lose_after", "truncate", "close", "wrong_json")
_WRONG = b"<!doctype html><title>Please stand by</title>"


class BadPlan(Exception):
    """This is not a plan for a fault."""


@dataclass(frozen=True)
class Plan:
    route: str
    kind: str
    count: int | None = 1
    nth: int = 1
    probability: float = 1.0
    seed: int = 0
    seconds: float = 0.0
    after: bool = False
    act: bool = False
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    contains: str = ""
    document: str = ""

    def matches(self, request: Request, *, route: str, name: Callable[[], str]) -> bool:
        """`name` tells which document the call is about."""
        path = request.path.removesuffix(".json")
        if self.route not in {route, "*"} and not fnmatchcase(f"{request.method} {path}", self.route):
            return False
        if self.document and self.document != name():
            return False
        return not self.contains or self.contains in f"{request.query_text} {_text(request)}"

    def fires(self, *, hit: int, fired: int) -> bool:
        if hit < self.nth or (self.count is not None and fired >= self.count):
            return False
        return self.probability >= 1 or random.Random(f"{self.seed}:{hit}").random() < self.probability

    def answer(self) -> Response:
        body = self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)
        kind = "application/json; charset=utf-8" if not isinstance(self.body, str) else "text/html"
        return Response(self.status, body.encode(), (("Content-Type", kind), *self.headers.items()))


def _text(request: Request) -> str:
    return (
        request.body.decode("utf-8", "replace")
        if 0 < request.remaining < 65536 or "body" in vars(request)
        else ""
    )


def read_plan(content: Any) -> Plan:
    """Read a plan from JSON, or say which part of it is not understood."""
    if not isinstance(content, dict):
        raise BadPlan("A fault is a JSON object with at least a route and a kind.")
    unknown = set(content) - {known.name for known in fields(Plan)}
    if unknown:
        raise BadPlan(f"A fault has no {', '.join(sorted(unknown))}.")
    if content.get("kind") not in KINDS or not isinstance(content.get("route"), str):
        raise BadPlan(f"A fault needs a route and a kind, one of {', '.join(KINDS)}.")
    return Plan(**content)


@dataclass(frozen=True)
class Drawn:
    """What has been decided about one call."""

    plan: Plan | None = None
    fault_id: int | None = None
    wait_before: float = 0.0
    wait_after: float = 0.0

    @property
    def kind(self) -> str:
        return self.plan.kind if self.plan else ""

    @property
    def outcome(self) -> str:
        return {"lose_before": "lost before", "lose_after": "lost after", "truncate": "truncated"}.get(
            self.kind, "answered"
        )

    def instead(self) -> Response | None:
        """The answer that replaces the act, if the plan says not to act."""
        if self.plan and self.plan.kind == "lose_before":
            return Response(0, mishap="vanish")
        if self.plan and self.plan.kind == "status" and not self.plan.act:
            return self.plan.answer()
        return None

    def spoil(self, response: Response) -> Response:
        """What becomes of the answer on its way out."""
        if self.plan is None:
            return response
        if self.plan.kind == "status":
            return self.plan.answer()
        if self.plan.kind == "wrong_json":
            body = self.plan.answer().body if self.plan.body is not None else _WRONG
            return replace(response, body=body)
        mishap = {"lose_after": "vanish", "lose_before": "vanish", "truncate": "truncate", "close": "hang_up"}
        return replace(response, mishap=mishap[self.plan.kind])


def draw(state: State, request: Request, *, route: str) -> Drawn:
    """Decide once, before anything happens: every delay that fires adds up, the first other fault wins."""
    if not state.one("SELECT 1 FROM fault"):
        return Drawn()
    drawn, name = Drawn(), cache(lambda: _document_of(state, request))
    with state.transaction():
        for row in state.all("SELECT * FROM fault ORDER BY id"):
            plan = _kept(row["plan"])
            if not plan.matches(request, route=route, name=name) or (drawn.plan and plan.kind != "delay"):
                continue
            fires = plan.fires(hit=row["hits"] + 1, fired=row["fired"])
            state.run("UPDATE fault SET hits = hits + 1, fired = fired + ? WHERE id = ?", fires, row["id"])
            drawn = _add(drawn, plan, row["id"]) if fires else drawn
    return drawn


@lru_cache(maxsize=10_000)
def _kept(plan: str) -> Plan:
    return Plan(**json.loads(plan))


def _document_of(state: State, request: Request) -> str:
    """The name of the document that a call is about, or nothing: storage's keys end with it."""
    if known := re.search(r"/documents/([0-9]{1,18})\b", request.path):
        row = state.one("SELECT name FROM document WHERE id = ?", int(known[1]))
        return str(row["name"]) if row else ""
    if request.method == "POST" and request.path.removesuffix(".json").endswith("/documents"):
        return _name_given(request)
    return request.path.rpartition("/")[2] if request.method == "PUT" else ""


def _name_given(request: Request) -> str:
    try:
        return str(json.loads(request.body)["data"]["name"])
    except (ValueError, LookupError, TypeError):
        return ""


def _add(drawn: Drawn, plan: Plan, fault_id: int) -> Drawn:
    if plan.kind != "delay":
        return replace(drawn, plan=plan, fault_id=fault_id)
    if plan.after:
        return replace(drawn, wait_after=drawn.wait_after + plan.seconds)
    return replace(drawn, wait_before=drawn.wait_before + plan.seconds)


def wait(state: State, seconds: float) -> bool:
    """Wait; false if the sandbox was reset meanwhile, so that the call belongs to a past that is gone."""
    if seconds <= 0:
        return True
    generation = state.generation
    time.sleep(seconds)
    return generation == state.generation


def add(state: State, plan: Plan) -> int:
    return state.insert("fault", plan=json.dumps({key.name: getattr(plan, key.name) for key in fields(Plan)}))


def listed(state: State) -> list[dict[str, Any]]:
    rows = [as_dict(row) for row in state.all("SELECT * FROM fault ORDER BY id")]
    return [
        {**json.loads(row["plan"]), "id": row["id"], "hits": row["hits"], "fired": row["fired"]}
        for row in rows
    ]
