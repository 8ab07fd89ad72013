"""The crash points of docs/reliability.md, and for each the ways in which a run meets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bench.crash.plans import Fault, Halt, Plan

Way = Mapping[str, Any]
"""Fields of a Plan."""

ALREADY: Final = {"error": {"type": "ArgumentError", "message": "The version is already fully uploaded"}}
TIMED_OUT: Final = {"error": {"type": "UploadTimeoutError", "message": "A timeout occurred verifying"}}
NOT_FOUND: Final = {
    "error": {"type": "UploadNotFoundError", "message": "A matching remote file was not found"}
}
S3_DENIED: Final = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
S3_EXPIRED: Final = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
FULL: Final = "disk full"
LONGER_THAN_ONE_CHUNK: Final = 200_000


def post(kind: str, **more: Any) -> Fault:
    return {"route": "documents.create", "kind": kind, **more}


def put(kind: str, **more: Any) -> Fault:
    return {"route": "PUT /*", "kind": kind, **more}


def patch(kind: str, **more: Any) -> Fault:
    return {"route": "documents.update", "kind": kind, **more}


def lie(body: Any, *, act: bool) -> Fault:
    return patch("status", status=422, body=body, act=act)


def dying(at: str, *faults: Fault, hit: int = 1, **more: Any) -> Way:
    """A worker is killed there."""
    return {"halts": (Halt(at=at, hit=hit),), "faults": faults, **more}


def losing(*faults: Fault, **more: Any) -> Way:
    return {"faults": faults, **more}


def ghost(at: str, *faults: Fault, hit: int = 1, **more: Any) -> Way:
    """A worker is stopped there, and goes on after another has finished its work."""
    return {"halts": (Halt(at=at, act="pause", hit=hit),), "faults": faults, "in_own_process": True, **more}


def forgetting(at: str, *, since: str) -> Way:
    """The database loses its last commit, and the worker dies with it."""
    return {"halts": (Halt(at=at, act="rewind", since=since),)}


def failing_to_write(state: str) -> Way:
    return {"halts": (Halt(at=f"write {state}", act=FULL),)}


def taking_back(at: str, *, then: str = "", may_end_as: Sequence[str] = ("withdrawn",)) -> Way:
    """The approval is taken back just there, and a worker is killed later on."""
    death = (Halt(at=then),) if then else ()
    return {"halts": (Halt(at=at, act="take back"), *death), "may_end_as": may_end_as}


WAYS: Final[Mapping[str, Sequence[Way]]] = {
    "C01": [{"approver_dies_at": "C01"}],
    "C02": [{"approver_dies_at": "C02"}],
    "C03": [{"bell_is_lost": True}, {"approver_dies_at": "C03"}],
    "C04": [dying("C04")],
    "C05": [dying("C05"), dying("before POST")],
    "C06": [
        losing(post("lose_after")),
        dying("C06", post("lose_after")),
        losing(post("status", status=502, act=True)),
        losing(post("lose_before")),
    ],
    "C07": [dying("C07"), dying("after POST")],
    "C08": [losing(post("truncate")), losing(post("wrong_json")), dying("C08", post("wrong_json"))],
    "C09": [dying("C09"), dying("before PUT")],
    "C10": [
        dying("C10", hit=2, size=LONGER_THAN_ONE_CHUNK),
        losing(put("lose_before"), size=LONGER_THAN_ONE_CHUNK),
    ],
    "C11": [dying("C11"), losing(put("lose_after")), dying("after PUT")],
    "C12": [
        losing(put("status", status=403, body=S3_DENIED)),
        losing(put("status", status=403, body=S3_DENIED, count=2)),
        dying("C12", put("status", status=403, body=S3_EXPIRED)),
    ],
    "C13": [dying("C13")],
    "C14": [
        losing(patch("lose_after")),
        dying("C14", patch("lose_after")),
        losing(patch("status", status=502, act=True)),
        losing(patch("truncate")),
    ],
    "C15": [dying("C15"), dying("after PATCH")],
    "C16": [losing(lie(ALREADY, act=True)), dying("C16", lie(ALREADY, act=True))],
    "C17": [
        losing(lie(TIMED_OUT, act=False)),
        losing(lie(TIMED_OUT, act=True)),
        dying("C17", lie(TIMED_OUT, act=False)),
    ],
    "C18": [losing(lie(NOT_FOUND, act=False)), dying("C18", lie(NOT_FOUND, act=False))],
    "C19": [dying("C19")],
    "C20": [ghost("C20"), ghost("before POST"), dying("C20")],
    "C21": [ghost("C21"), ghost("before PATCH"), dying("C21")],
    "C22": [
        {"halts": (Halt(at="C13", act="trash"),), "person": "restore"},
        {"halts": (Halt(at="C13", act="trash"),), "person": "cancel", "may_end_as": ("withdrawn",)},
        {"halts": (Halt(at="C13", act="trash"), Halt(at="C22")), "person": "restore"},
    ],
    "C23": [
        forgetting("C07", since="C04"),
        forgetting("C11", since="C07"),
        forgetting("before PATCH", since="C11"),
        forgetting("C15", since="C13"),
    ],
    "C24": [dying("C24")],
    "C25": [
        dying("C25", patch("status", status=401), clio_user="bob"),
        losing(post("status", status=401), clio_user="bob"),
        losing(patch("status", status=401), clio_user="bob"),
    ],
    "C26": [
        dying("C26", post("status", status=429, headers={"Retry-After": "1"}), clio_user="priya"),
        losing(post("status", status=429, headers={"Retry-After": "1"}), clio_user="priya"),
        losing(patch("status", status=429, headers={"Retry-After": "1"}), clio_user="priya"),
    ],
    "C27": [
        dying("C27", hit=3),
        *(
            failing_to_write(state)
            for state in ("reserving", "reserved", "transferred", "confirming", "filed")
        ),
    ],
    "C28": [
        taking_back("C05"),
        taking_back("C09", then="D02"),
        taking_back("C13"),
        {**ghost("C21"), "person": "take back", "may_end_as": ("withdrawn",)},
        taking_back("after PATCH", may_end_as=("filed",)),
        taking_back("C09", then="D01"),
        taking_back("C11", then="C28"),
        taking_back("after POST"),
        dying("C28", put("status", status=403, body=S3_DENIED, count=2)),
    ],
}


def runs(groups: Mapping[str, Sequence[Way]], *, each: int, prefix: str) -> Iterator[Plan]:
    """`each` plans for every group, its ways in turn."""
    for number in range(each):
        for group, ways in groups.items():
            name = f"{prefix}-{group}-{number:04}.txt"
            yield plan(name, group, ways[number % len(ways)])


def plan(name: str, group: str, way: Way) -> Plan:
    faults = [{**fault, "document": name} for fault in way.get("faults", ())]
    return Plan(**{**way, "name": name, "group": group, "faults": faults})
