"""The demo's journey, against a portal that `portal.stack` runs.

python -m portal.demo prove DATA_DIR    the main job, and a table of proof; exit 0 only if all of it holds
python -m portal.demo offer DATA_DIR    connect and submit only, so that the queue has something to review
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from portal.demo import examples, people
from portal.demo.browser import Unexpected
from portal.demo.examples import Example
from portal.demo.program import Outcome, Program
from portal.demo.proof import Filed, table
from portal.demo.sandbox import Ledger, Stored
from portal.stack.place import Place

FILED_WITHIN = 120.0
OVER = {"filed", "needs_you", "withdrawn", "rejected", "returned"}
NOTHING = Stored(0, "", 0, "", 0, is_visible=False)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m portal.demo", usage=__doc__)
    parser.add_argument("act", choices=("prove", "offer"))
    parser.add_argument("data", type=Path)
    chosen = parser.parse_args(arguments)
    place = Place.published(chosen.data)
    try:
        return {"prove": prove, "offer": offer}[chosen.act](place)
    except (Unexpected, httpx.HTTPError) as error:
        print(f"The demo cannot go on: {error}", file=sys.stderr)
        return 1


def offer(place: Place) -> int:
    """Can be stopped anywhere and begun again: the key is kept, and each file has its own Idempotency-Key."""
    program = Program(place.site, place.demo_key()) if place.has_demo_key else _begun(place)
    place.keep_demo_key(program.key)
    for example in examples.load():
        program.submit(example, f"demo-{example.sha256}")
    place.note_demo_drafts()
    print("The queue holds demo drafts: sign in as a reviewer.", flush=True)
    return 0


def prove(place: Place) -> int:
    program = _begun(place)
    drafts = {program.submit_twice(example): example for example in examples.load()}
    print(f"carol's program submitted {len(drafts)} drafts through the API.", flush=True)
    seen = _approve_all(place, list(drafts))
    print("alice read and approved each of them.", flush=True)
    outcomes = _wait_for(program, list(drafts))
    documents = _evidence(place, drafts, seen, outcomes)
    print(f"\n{table(documents)}\n", flush=True)
    return _verdict(place, documents, outcomes)


def _begun(place: Place) -> Program:
    program = people.begin(place)
    print(
        "dana connected the sandbox through its consent page and made an API key for carol's program.",
        flush=True,
    )
    return program


def _approve_all(place: Place, drafts: Sequence[str]) -> dict[str, str]:
    with people.at_browser(place, "alice") as alice:
        return {draft: people.approve(alice, draft).sha256 for draft in drafts}


def _wait_for(program: Program, drafts: Sequence[str]) -> dict[str, Outcome]:
    deadline = time.monotonic() + FILED_WITHIN
    outcomes: dict[str, Outcome] = {}
    while len(outcomes) < len(drafts) and time.monotonic() < deadline:
        for draft in drafts:
            if draft not in outcomes and (outcome := program.outcome(draft)).state in OVER:
                outcomes[draft] = outcome
        time.sleep(0.3)
    return outcomes


def _evidence(
    place: Place, drafts: dict[str, Example], seen: dict[str, str], outcomes: dict[str, Outcome]
) -> list[Filed]:
    ledger = Ledger(place.sandbox_control)
    stored, calls = ledger.documents(), ledger.filing_calls()

    def filed(draft: str, example: Example) -> Filed:
        outcome = outcomes.get(draft)
        document_id = (outcome.document_id if outcome else None) or 0
        found = stored.get(document_id, NOTHING)
        return Filed(
            name=example.name,
            submitted=example.sha256,
            approved=seen[draft],
            stored=found.sha256,
            document_id=document_id,
            version=found.version,
            calls=calls[document_id] if document_id else 0,
            is_visible=found.is_visible,
        )

    return [filed(draft, example) for draft, example in drafts.items()]


def _verdict(place: Place, documents: Sequence[Filed], outcomes: dict[str, Outcome]) -> int:
    faults = [fault for document in documents for fault in document.faults()]
    faults += [f"{document.name}: not filed" for document in documents if not document.document_id]
    faults += _strangers(place, documents)
    print(_audit_says(place, faults), flush=True)
    for fault in faults:
        print(f"NOT TRUE  {fault}", flush=True)
    if not faults:
        print(f"All of it is true for {len(documents)} documents.", flush=True)
    return 1 if faults else 0


def _strangers(place: Place, documents: Sequence[Filed]) -> list[str]:
    """Documents at Clio that nobody approved."""
    ours = {document.document_id for document in documents}
    others = [stored for key, stored in Ledger(place.sandbox_control).documents().items() if key not in ours]
    return [f"Clio holds {stored.name!r} ({stored.document_id}), which nobody approved" for stored in others]


def _audit_says(place: Place, faults: list[str]) -> str:
    """What `audit_verify` prints; adds a fault unless it is satisfied."""
    verified = subprocess.run(
        [sys.executable, "manage.py", "audit_verify"],
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if verified.returncode:
        faults.append(f"audit_verify: {verified.stdout}{verified.stderr}".strip())
    return f"audit_verify: {verified.stdout.strip()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
