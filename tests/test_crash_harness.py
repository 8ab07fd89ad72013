"""The harness of `bench.crash` fits the product: its points exist, and its seeded bugs can be let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.crash import bugs, ghosts, points, seeded
from bench.crash.plans import Book, Halt, Plan
from clio_sync.crashpoints import POINTS
from clio_sync.models import Delivery

CALLS = ("POST", "PUT", "PATCH", "DELETE", "search", "look")
PLACES = {
    *POINTS,
    *(f"{when} {call}" for when in ("before", "after") for call in CALLS),
    *(f"write {state}" for state in Delivery.State.values),
}


def test_every_crash_point_has_ways_to_meet_it() -> None:
    assert {point for point in POINTS if point.startswith("C")} == set(points.WAYS)


@pytest.mark.parametrize("groups", [points.WAYS, ghosts.PLACES])
def test_whatever_is_planned_is_planned_for_a_place_that_exists(groups: dict[str, list[points.Way]]) -> None:
    plans = points.runs(groups, each=max(map(len, groups.values())), prefix="x")
    assert {halt.at for plan in plans for halt in plan.halts} <= PLACES


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = points.plan("a.txt", "C12", points.WAYS["C12"][-1])
    Book(tmp_path).write(plan)
    assert Book(tmp_path).read("a.txt") == plan
    assert Book(tmp_path).read("b.txt") is None


def test_what_is_planned_happens_once_whoever_comes(tmp_path: Path) -> None:
    Book(tmp_path).write(Plan(name="a.txt", group="C04", halts=(Halt(at="C04"),)))
    assert [Book(tmp_path).mark("a.txt", "before PUT") for _ in range(2)] == [True, False]
    (mark,) = Book(tmp_path).marks()
    assert (mark.name, mark.at) == ("a.txt", "before PUT")


@pytest.mark.parametrize("bug", bugs.NAMES)
def test_a_seeded_bug_can_be_let_in_and_is_gone_afterwards(bug: str) -> None:
    with bugs.let_in(bug):
        pass
    assert bug in {**seeded.TOGETHER, **seeded.ALONE}
