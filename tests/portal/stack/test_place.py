from __future__ import annotations

import socket
from pathlib import Path

import pytest

from portal.stack.place import Place, PlaceTaken
from portal.stack.ports import HOST, Ports


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "data", Ports())
    place.prepare()
    return place


def test_the_keys_are_made_once_and_only_their_owner_can_read_them(place: Place) -> None:
    first = place.environment()
    again = Place(place.data, Ports()).environment()
    assert first["SECRET_KEY"] == again["SECRET_KEY"]
    assert first["TOKEN_KEYS"] == again["TOKEN_KEYS"]
    assert place.data.stat().st_mode & 0o077 == 0
    assert (place.data / "local.env").stat().st_mode & 0o077 == 0


def test_two_places_have_different_keys(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", Ports())
    other.prepare()
    assert place.environment()["SECRET_KEY"] != other.environment()["SECRET_KEY"]


def test_a_folder_serves_one_supervisor_at_a_time(place: Place) -> None:
    with place.held(), pytest.raises(PlaceTaken, match="already runs"), Place(place.data, Ports()).held():
        pass
    with place.held():
        assert (place.data / ".running").exists()


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        usual = Ports(taken, *_three_free())
        settled = usual.settled()
    assert settled.moved(usual) == {"web": (taken, settled.web)}
    assert settled.sandbox_api == usual.sandbox_api


def test_a_place_that_runs_can_be_found_by_its_folder(place: Place) -> None:
    running = Place(place.data, Ports.free())
    running.publish()
    assert Place.published(place.data) == running


def test_debugging_of_the_caller_never_reaches_the_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("UNDO_SECONDS", "7")
    assert "DEBUG" not in place.environment()
    assert place.environment()["UNDO_SECONDS"] == "7"


def _three_free() -> tuple[int, int, int]:
    free = Ports.free()
    return free.sandbox_api, free.sandbox_storage, free.sandbox_control
