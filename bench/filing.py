"""How soon after the yes Clio is called, what a document costs, how fast a backlog drains at Clio's limit."""

from __future__ import annotations

import time
from typing import Any

from bench.figures import Figure, percentile, progress, publish
from bench.rig import Rig, at_work
from tests import stacks

CALLS_A_DOCUMENT = 2
LIMIT_A_MINUTE = 50
CEILING = LIMIT_A_MINUTE / CALLS_A_DOCUMENT
FIRST_CALL_TARGET_S = 2.0
SHARE_TARGET = 0.9
FILED_WITHIN = 60.0


def measure(*, single: int, backlog: int, seed: int) -> bool:
    """`single` documents one by one, then `backlog` documents at once. True if every target is met."""
    with stacks.production(UNDO_SECONDS="0") as stack, at_work(stack) as rig:
        figures = [_first_call(rig, single, seed), _cost(rig, seed), _throughput(rig, backlog, seed + 1)]
    verdicts = [publish(figure) for figure in figures]
    return all(verdicts)


def _first_call(rig: Rig, documents: int, seed: int) -> Figure:
    progress(f"filing: {documents} documents, one after the other")
    drafts = rig.submit(documents, seed=seed)
    waits = []
    for draft, example in drafts.items():
        time.sleep(
            2.5
        )  # two turns at Clio's limit: this measures the way to the call, not the queue before it
        began = time.time()
        rig.approve({draft: example})
        rig.wait_for([draft], within=FILED_WITHIN)
        waits.append(_reserved_at(rig, example.name) - began)
    return Figure(
        id="approve_to_first_clio_call_p95_s",
        target=FIRST_CALL_TARGET_S,
        value=round(percentile(waits, 0.95), 3),
        n=len(waits),
        seed=seed,
        compared_with=f"median {percentile(waits, 0.5):.3f} s, worst {max(waits):.3f} s; no undo time",
    )


def _cost(rig: Rig, seed: int) -> Figure:
    calls = rig.ledger.filing_calls()
    documents = rig.ledger.documents()
    return Figure(
        id="clio_api_calls_per_document",
        target=CALLS_A_DOCUMENT,
        value=round(sum(calls.values()) / max(1, len(documents)), 3),
        n=len(documents),
        seed=seed,
        compared_with="reserve and confirm: Clio's own minimum",
    )


def _throughput(rig: Rig, documents: int, seed: int) -> Figure:
    progress(f"filing: submitting a backlog of {documents} documents (at Clio's limit)")
    drafts = rig.submit(documents, seed=seed)
    progress("filing: approving all of them, and waiting for the workers")
    rig.approve(drafts)
    rig.wait_for(list(drafts), within=documents / CEILING * 120 + FILED_WITHIN)
    began, ended = _span(rig, {example.name for example in drafts.values()})
    a_minute = documents / max(1.0, ended - began) * 60
    return Figure(
        id="documents_per_minute_share_of_ceiling",
        target=SHARE_TARGET,
        value=round(a_minute / CEILING, 3),
        n=documents,
        seed=seed,
        compared_with=f"{CEILING:g} a minute: {LIMIT_A_MINUTE} calls a minute, {CALLS_A_DOCUMENT} a document",
        at_least=True,
    )


def _reserved_at(rig: Rig, name: str) -> float:
    return next(float(call["at_s"]) for call in _reservations(rig) if _name_of(call) == name)


def _span(rig: Rig, names: set[str]) -> tuple[float, float]:
    """From the first reservation to the last confirmation of these documents."""
    reserved = {
        call["response_body"]["data"]["id"]: call["at_s"]
        for call in _reservations(rig)
        if _name_of(call) in names
    }
    confirmed = [
        call["at_s"]
        for call in rig.ledger.calls(method="PATCH")
        if int(call["path"].split("?")[0].removesuffix(".json").rpartition("/")[2]) in reserved
    ]
    return min(reserved.values()), max(confirmed)


def _reservations(rig: Rig) -> list[dict[str, Any]]:
    return [
        call for call in rig.ledger.calls(method="POST", route="documents.create") if call["status"] == 201
    ]


def _name_of(call: dict[str, Any]) -> str:
    return str(call["body"]["data"]["name"])
