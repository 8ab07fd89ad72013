from __future__ import annotations

from pathlib import Path

from clio_sync import crashpoints
from tests.clio_sync.saga import points

DOCUMENTATION = (Path(__file__).resolve().parents[3] / "docs" / "reliability.md").read_text("utf-8")
CATALOGUE = {f"C{number:02}" for number in range(1, 29)}


def test_the_catalogue_is_whole() -> None:
    assert set(crashpoints.POINTS) >= CATALOGUE


def test_every_point_lies_somewhere_and_every_place_has_a_name() -> None:
    assert points.named() == set(crashpoints.POINTS)


def test_the_documentation_tells_of_every_point_what_follows() -> None:
    rows = [line.strip("| ").split(" | ") for line in DOCUMENTATION.splitlines() if line.startswith("| C")]
    told = {row[0]: row[1] for row in rows if row[0] in CATALOGUE}
    assert told == {name: crashpoints.POINTS[name] for name in CATALOGUE}
    assert all(len(row) == 5 and all(row) for row in rows if row[0] in CATALOGUE)


def test_every_call_to_clio_lies_between_two_points() -> None:
    assert {"reserve_document", "transfer", "confirm_document", "delete_document"} <= points.calls_to_clio()
    assert points.unguarded() == []


def test_a_call_without_a_point_behind_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        'def f(work):\n    crashpoint("C13")\n    work.clio.confirm_document(1)\n'
    )
    assert points.unguarded(tmp_path) == ["bad.py:3 work.clio.confirm_document"]


def test_in_production_a_point_does_nothing() -> None:
    assert crashpoints.on_point is crashpoints.nothing
