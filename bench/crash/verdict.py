"""What became of the documents, by the word of the sandbox's ledger and storage, beside the approvals."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.crash import hooks
from bench.crash.desk import Desk
from bench.crash.plans import Plan
from clio_sync.models import Delivery
from portal.audit.verify import State as LogState
from portal.audit.verify import verify
from portal.demo.sandbox import document_of


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One document. Numbers that ought to be 0, except `calls`."""

    plan: Plan
    lost: int
    visible_duplicates: int
    wrong_bytes: int
    misplaced: int
    stuck: int
    never_happened: int  # what was planned, and did not come true
    litter: int  # unfinished documents left behind, which nobody sees
    calls: int  # of Clio's API
    refused_puts: int
    calls_after_waking: int  # of a worker that had been stopped
    seconds: float | None  # from the misfortune to the end


class Court:
    """Reads the ledger once and judges by it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.documents = desk.sandbox.documents()
        self.calls = desk.sandbox.calls()
        self.fired = Counter(_fired(desk))
        self.marks = hooks.book().marks()
        self._calls_by_name = self._attributed()

    def judge(self, plans: Iterable[Plan]) -> list[Outcome]:
        return [self._judged(plan) for plan in plans]

    def unapproved(self) -> int:
        """Documents to be seen in Clio that nobody approved."""
        approved = {*Delivery.objects.values_list("op_id", flat=True)}
        return sum(
            document["visible"] and not approved & {*_properties(document)} for document in self.documents
        )

    def log_is_broken(self) -> int:
        return int(verify().state is not LogState.VALID)

    def _judged(self, plan: Plan) -> Outcome:
        delivery = self.desk.delivery(plan.name)
        mine = [document for document in self.documents if document["name"] == plan.name]
        seen = [document for document in mine if document["visible"]]
        calls = self._calls_by_name[plan.name]
        waking = self.desk.continued.get(plan.name)
        return Outcome(
            plan=plan,
            lost=int(delivery.state == "filed" and not seen),
            visible_duplicates=max(0, len(seen) - int(delivery.state != "withdrawn")),
            wrong_bytes=sum(not _is_whole(document, delivery) for document in seen),
            misplaced=sum(document["matter_id"] != self.desk.matter_id for document in seen),
            stuck=int(delivery.state not in plan.may_end_as),
            never_happened=self._never_happened(plan),
            litter=sum(
                not one["visible"] and not one["deleted_at"] and one["id"] != delivery.clio_document_id
                for one in mine
            ),
            calls=sum(call["listener"] == "api" for call in calls),
            refused_puts=sum(call["listener"] == "storage" and call["status"] == 403 for call in calls),
            calls_after_waking=sum(call["id"] > waking for call in calls) if waking else 0,
            seconds=self._seconds(plan, delivery),
        )

    def _never_happened(self, plan: Plan) -> int:
        happened = {mark.at for mark in self.marks if mark.name == plan.name}
        halts = {halt.at for halt in plan.halts} | ({plan.approver_dies_at} - {""})
        halts |= {"bell lost"} if plan.bell_is_lost else set()
        faults = sum(int(fault.get("count", 1)) for fault in plan.faults)
        return len(halts - happened) + max(0, faults - self.fired[plan.name])

    def _seconds(self, plan: Plan, delivery: Delivery) -> float | None:
        moments = [mark.moment for mark in self.marks if mark.name == plan.name]
        if not moments or delivery.done_at is None:
            return None
        return max(0.0, delivery.done_at.timestamp() - min(moments))

    def _attributed(self) -> dict[str, list[dict[str, Any]]]:
        by_id = {document["id"]: document["name"] for document in self.documents}
        by_op = dict(Delivery.objects.values_list("op_id", "approval__destination__file_name"))
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for call in self.calls:
            found[_name(call, by_id, by_op)].append(call)
        return found


def _name(call: dict[str, Any], by_id: dict[int, str], by_op: dict[str, str]) -> str:
    """The document that a call was about."""
    if call["listener"] == "storage":
        return str(call["path"].rpartition("/")[2])
    sought = dict(call["query"]).get("external_property_value")
    if sought is not None:
        return by_op.get(sought, "")
    if call["route"] == "documents.create":
        return str(call["body"]["data"]["name"])
    return by_id.get(document_of(call) or 0, "")


def _is_whole(document: dict[str, Any], delivery: Delivery) -> bool:
    """Approved, sent, stored and confirmed are the same bytes."""
    newest = document["versions"][-1]
    hashes = {newest["sha256"], newest["stored_sha256"], delivery.approval.sha256, delivery.sha256_sent}
    return len(hashes) == 1 and newest["size"] == delivery.approval.size


def _properties(document: dict[str, Any]) -> Sequence[str]:
    return [str(one["value"]) for one in document["external_properties"]]


def _fired(desk: Desk) -> dict[str, int]:
    fired: Counter[str] = Counter()
    for fault in desk.sandbox.control("GET", "/faults")["faults"]:
        fired[fault["document"]] += fault["fired"]
    return fired
