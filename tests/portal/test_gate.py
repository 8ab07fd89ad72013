from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from portal import gate
from portal.accounts.models import User
from portal.audit import mark as marks
from portal.audit.events import Event
from portal.audit.log import Actor, record
from portal.audit.models import Entry, Head
from portal.audit.verify import State, verify
from tests.append_only import guards_down
from tests.cast import Cast
from tests.portal.marking import carry_on_at_once

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


def grow(entries: int = 1) -> None:
    for _ in range(entries):
        with transaction.atomic():
            record(Event.AUDIT_VERIFIED, actor=Actor.system("test"), subject=None)


def mark() -> marks.Mark:
    found = marks.read(gate.folder() / gate.MARK)
    assert found is not None
    return found


def rewind(to: int) -> None:
    """The log as a backup from that moment holds it."""
    with guards_down(connection):
        kept = Entry.objects.get(seq=to - 1)
        Entry.objects.filter(seq__gte=to).delete()
        Head.objects.update(size=to, last_hash=kept.hash)
    assert verify().state is State.VALID  # nothing in the database shows it


def at_work(entries: int = 5) -> None:
    """A portal that has been running: its log has entries and a mark."""
    grow(entries)
    assert gate.advance() is None
    assert gate.advance() is None  # the first one wrote an entry itself


def test_a_new_portal_may_file() -> None:
    assert gate.closed() is None
    assert gate.advance() is None
    assert not (gate.folder() / gate.MARK).exists()


def test_the_mark_names_the_newest_entry() -> None:
    at_work()
    newest = Entry.objects.latest("seq")
    assert (mark().entry, mark().sha256) == (newest.seq, newest.hash.hex())
    assert [entry.event for entry in Entry.objects.filter(event=Event.GATE_MARK_KEPT.value)] == [
        Event.GATE_MARK_KEPT
    ]


def test_a_log_that_grew_and_was_not_marked_yet_is_the_same_log() -> None:
    at_work()
    grow(3)
    assert gate.closed() is None


@pytest.mark.parametrize("lost", [1, 3])
def test_a_database_that_lost_entries_may_not_file(lost: int) -> None:
    at_work()
    before = mark()
    rewind(Head.objects.get().size - lost)
    closed = gate.advance()
    assert closed is not None
    assert closed.reason is gate.Reason.BEHIND
    assert mark() == before, "a restored database never moves the mark"


def test_a_restored_database_that_went_on_may_not_file_either() -> None:
    at_work()
    rewind(Head.objects.get().size - 2)
    grow(9)
    closed = gate.closed()
    assert closed is not None
    assert closed.reason is gate.Reason.OTHER


def test_bringing_the_right_database_back_opens_it() -> None:
    at_work()
    earlier = mark()
    grow(4)
    gate.advance()
    later = mark()
    marks.write(gate.folder() / gate.MARK, earlier)
    assert gate.closed() is None
    rewind(later.entry)
    assert gate.closed() is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"format": 2}', b'{"format": 1, "log": "x"}', b"\xff\xfe"]
)
def test_a_mark_that_cannot_be_read_closes_it(content: bytes) -> None:
    at_work()
    (gate.folder() / gate.MARK).write_bytes(content)
    closed = gate.advance()
    assert closed is not None
    assert closed.reason is gate.Reason.UNREADABLE
    assert (gate.folder() / gate.MARK).read_bytes() == content


def test_a_database_moved_away_from_its_mark_may_not_file() -> None:
    """The machine is gone; database and documents were restored on a new one."""
    at_work()
    (gate.folder() / gate.MARK).unlink()
    closed = gate.advance()
    assert closed is not None
    assert closed.reason is gate.Reason.MISSING


def test_another_log_of_the_same_length_is_not_the_same() -> None:
    at_work()
    marks.write(gate.folder() / gate.MARK, marks.Mark(**{**vars(mark()), "log": "elsewhere.example/audit/1"}))
    closed = gate.closed()
    assert closed is not None
    assert closed.reason is gate.Reason.OTHER


def test_it_can_be_closed_by_hand_and_is_opened_with_the_log_as_it_stands() -> None:
    at_work()
    gate.close()
    closed = gate.closed()
    assert closed is not None
    assert closed.reason is gate.Reason.BY_HAND
    grow()
    gate.open_again()
    assert gate.closed() is None
    assert mark().entry == Head.objects.get().size - 1


def test_opening_takes_a_restored_log_as_the_one_that_counts() -> None:
    at_work()
    rewind(3)
    grow()
    assert gate.closed() is not None
    gate.open_again()
    assert gate.closed() is None


def test_what_may_still_be_rolled_back_is_not_marked() -> None:
    at_work()
    before = mark()
    with transaction.atomic():
        record(Event.AUDIT_VERIFIED, actor=Actor.system("test"), subject=None)
        assert gate.advance() is None
        assert mark() == before


def test_a_process_that_dies_while_writing_leaves_the_old_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work()
    before = mark()
    grow()
    with monkeypatch.context() as patch:
        patch.setattr("portal.audit.mark.os.fsync", _dies)
        with pytest.raises(KeyboardInterrupt):
            gate.advance()
    assert mark() == before
    assert gate.closed() is None
    gate.advance()
    assert mark().entry == before.entry + 1


def _dies(descriptor: int) -> None:
    raise KeyboardInterrupt


if connection.vendor == "postgresql":

    def test_the_mark_never_goes_back_while_several_carry_it_on() -> None:
        """An older mark in place of a newer one would forget that the newer database ever was."""
        outcome = carry_on_at_once(writers=6, entries=240)
        assert (outcome.went_back, outcome.refused, outcome.is_newest) == (0, 0, True)
        assert outcome.looks > 20


def test_the_mark_of_a_sqlite_file_never_goes_back_while_several_carry_it_on(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite3'}",
        "DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.portal.marking", "4", "100"],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
    )
    outcome = json.loads(done.stdout)
    assert (outcome["went_back"], outcome["refused"], outcome["is_newest"]) == (0, 0, True)
    assert outcome["looks"] > 20


def test_what_was_lost_began_after_the_last_entry_that_is_older_than_the_mark() -> None:
    at_work()
    kept = Entry.objects.get(seq=2)
    rewind(3)
    grow(2)  # after the restore
    said = json.loads((gate.folder() / gate.MARK).read_text())
    assert gate.lost_since() == kept.at
    assert gate.marked_at() == datetime.fromisoformat(said["at"])
    assert timezone.now() - datetime.fromisoformat(said["at"]) < timedelta(minutes=1)


# Who hears of it


def test_health_and_check_say_that_it_is_closed(client: Client) -> None:
    at_work()
    assert client.get("/healthz").json() == {"ok": True, "filing": "open"}
    assert "W001" not in checked()
    rewind(3)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "filing": "closed"})
    assert "W001" in checked()
    assert "manage.py reconcile" in checked()


def checked() -> str:
    said = StringIO()
    call_command("check", databases=["default"], stderr=said, stdout=said)
    return said.getvalue()


@pytest.mark.parametrize(("name", "hears"), [("dana", True), ("alice", True), ("carol", False)])
def test_whoever_it_concerns_reads_it_on_every_page(
    name: str, hears: bool, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    browser = sign_in(getattr(cast, name))
    for address in ("/", "/me/"):
        assert not told(browser.get(address, follow=True))
    grow(5)
    at_work()
    rewind(Head.objects.get().size - 1)
    for address in ("/", "/me/"):
        assert told(browser.get(address, follow=True)) is hears
    assert ("manage.py reconcile" in browser.get("/me/", follow=True).content.decode()) is (name == "dana")


def told(answer: Any) -> bool:
    assert answer.status_code == 200
    return "Nothing is being filed." in answer.content.decode()
