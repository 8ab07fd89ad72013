"""History is changed behind the portal's back, with the guards down, and the check must say so."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from portal.audit import verify as verifying
from portal.audit.entry import canonical, entry_hash, leaf_hash
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry, Head, TextSecret
from portal.audit.verify import LIMITS, Chain, Finding, Row, State, verify
from tests.append_only import guards_down

SYSTEM = Actor.system("test")
SIZE = 12


@pytest.fixture
def history(db: None) -> Iterator[None]:
    """Twelve entries, and nobody to guard them: what an administrator of the database could do."""
    for number in range(SIZE):
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=Subject("draft", number), corr=f"draft-{number}")
    with guards_down(connection):
        drop_constraint()
        yield


def drop_constraint() -> None:
    """Gone with the test's transaction."""
    if connection.vendor == "postgresql":
        execute("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_whole")


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def rewrite(seq: int, body: bytes, *, leaf: bytes | None = None) -> None:
    execute("UPDATE audit_entry SET body = %s, leaf = %s WHERE seq = %s", body, leaf or leaf_hash(body), seq)


def reworded(number: int, **changes: Any) -> bytes:
    return canonical({**Entry.objects.get(seq=number).content, **changes})


def move(old: int, new: int) -> None:
    execute("UPDATE audit_entry SET seq = %s WHERE seq = %s", new, old)


def test_an_untouched_log_is_valid(history: None) -> None:
    verdict = verify()
    head = Head.objects.get()
    assert (verdict.state, verdict.entries, verdict.head) == (State.VALID, SIZE, bytes(head.last_hash).hex())
    assert verdict.line == f"VALID 12 entries, head {bytes(head.last_hash).hex()}"
    assert (verdict.first_bad, verdict.finding, verdict.notes) == (None, None, ())


@pytest.mark.django_db
def test_an_empty_log_is_valid() -> None:
    assert verify().line == f"VALID 0 entries, head {'00' * 32}"


def test_more_entries_than_one_batch_are_followed_across(
    history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "BATCH", 5)
    assert verify().entries == SIZE
    rewrite(10, reworded(10, corr="other"))
    assert verify().first_bad == 11


def change_an_entry() -> None:
    rewrite(4, reworded(4, object={"type": "draft", "id": "999"}))


def change_an_entry_and_leave_the_leaf() -> None:
    rewrite(4, reworded(4, outcome="denied"), leaf=bytes(Entry.objects.get(seq=4).leaf))


def write_it_in_another_form() -> None:
    rewrite(4, Entry.objects.get(seq=4).exact_bytes.replace(b'":"', b'": "', 1))


def delete_one() -> None:
    execute("DELETE FROM audit_entry WHERE seq = 4")


def delete_one_and_close_the_gap() -> None:
    execute("DELETE FROM audit_entry WHERE seq = 4")
    for seq in range(5, SIZE):
        move(seq, seq - 1)
    execute("UPDATE audit_head SET size = size - 1")


def delete_the_first() -> None:
    execute("DELETE FROM audit_entry WHERE seq = 0")


def swap_two() -> None:
    move(4, 100)
    move(5, 4)
    move(100, 5)


def insert_one() -> None:
    for seq in range(SIZE - 1, 3, -1):
        move(seq, seq + 1)
    body = reworded(3, seq="4", prev=Entry.objects.get(seq=3).hash.hex())
    execute("INSERT INTO audit_entry (seq, body, leaf) VALUES (4, %s, %s)", body, leaf_hash(body))
    execute("UPDATE audit_head SET size = size + 1")


def insert_one_before_the_first() -> None:
    body = reworded(0, seq="-1")
    execute("INSERT INTO audit_entry (seq, body, leaf) VALUES (-1, %s, %s)", body, leaf_hash(body))


def cut_off_the_tail() -> None:
    execute("DELETE FROM audit_entry WHERE seq >= 9")


def cut_off_the_tail_and_shorten_the_head() -> None:
    cut_off_the_tail()
    execute("UPDATE audit_head SET size = 9")


def delete_everything_but_the_head() -> None:
    execute("DELETE FROM audit_entry")


def delete_the_head() -> None:
    execute("DELETE FROM audit_head")


def change_the_head() -> None:
    execute("UPDATE audit_head SET last_hash = %s", b"\x01" * 32)


def set_the_head_back() -> None:
    hash_at_8 = Entry.objects.get(seq=8).hash
    execute("UPDATE audit_head SET size = 9, last_hash = %s", hash_at_8)


def rename_the_log() -> None:
    execute("UPDATE audit_head SET origin = 'other/audit/1'")


def change_a_leaf() -> None:
    execute("UPDATE audit_entry SET leaf = %s WHERE seq = 4", b"\x01" * 32)


ATTACKS: list[tuple[Callable[[], None], int, Finding]] = [
    (change_an_entry, 5, Finding.LINK),
    (change_an_entry_and_leave_the_leaf, 4, Finding.LEAF),
    (write_it_in_another_form, 4, Finding.BYTES),
    (delete_one, 4, Finding.GAP),
    (delete_one_and_close_the_gap, 4, Finding.NUMBER),
    (delete_the_first, 0, Finding.GAP),
    (swap_two, 4, Finding.NUMBER),
    (insert_one, 5, Finding.NUMBER),
    (insert_one_before_the_first, 0, Finding.GAP),
    (cut_off_the_tail, 9, Finding.GAP),
    (cut_off_the_tail_and_shorten_the_head, 8, Finding.HEAD),
    (delete_everything_but_the_head, 0, Finding.GAP),
    (delete_the_head, 0, Finding.HEAD),
    (change_the_head, 11, Finding.HEAD),
    (set_the_head_back, 9, Finding.HEAD),
    (rename_the_log, 0, Finding.NAME),
    (change_a_leaf, 4, Finding.LEAF),
]


@pytest.mark.parametrize(("attack", "first_bad", "finding"), ATTACKS, ids=[a.__name__ for a, _, _ in ATTACKS])
def test_the_check_finds(history: None, attack: Callable[[], None], first_bad: int, finding: Finding) -> None:
    attack()
    verdict = verify()
    assert (verdict.state, verdict.first_bad, verdict.finding) == (State.INVALID, first_bad, finding)
    assert verdict.sentence in verdict.line


def test_any_changed_bit_of_any_entry_is_found(history: None) -> None:
    chance = random.Random(20261121)
    rows = list(Entry.objects.order_by("seq").values_list("seq", "body"))
    for _ in range(300):
        seq, stored = chance.choice(rows)
        body = bytearray(stored)
        bit = chance.randrange(len(body) * 8)
        body[bit // 8] ^= 1 << bit % 8
        chain = Chain(origin="localhost/audit/1")
        with pytest.raises(verifying.Broken) as broken:
            follow_all(chain, {seq: bytes(body)})
        assert broken.value.at in {seq, seq + 1, SIZE - 1}


def follow_all(chain: Chain, changed: dict[int, bytes]) -> None:
    """Follow the stored entries, some of them changed, to the head."""
    for seq, stored in Entry.objects.order_by("seq").values_list("seq", "body"):
        body = changed.get(seq, bytes(stored))
        chain.follow(Row(seq, body, leaf_hash(body), {}))
    if chain.last != bytes(Head.objects.get().last_hash):
        raise verifying.Broken(Finding.HEAD, chain.size - 1, "The head does not name the last entry.")


def test_a_changed_text_is_found_and_a_forgotten_one_is_fine(db: None) -> None:
    record(Event.DRAFT_RETURNED, actor=SYSTEM, subject=None, texts={"reason": "Clause 4."})
    kept = TextSecret.objects.get()
    with guards_down(connection):
        TextSecret.objects.update(value="Clause 5.")
        assert (verify().first_bad, verify().finding) == (0, Finding.TEXT)
        TextSecret.objects.update(value="Clause 4.")
        assert verify().state is State.VALID
        TextSecret.objects.create(seq=0, field="note", salt=b"x" * 32, value="Made up.")
        assert verify().finding is Finding.TEXT
    TextSecret.objects.all().delete()
    assert kept.value == "Clause 4."
    assert verify().state is State.VALID


def test_columns_that_were_cut_loose_from_the_bytes_are_found(history: None) -> None:
    rows = Entry.objects.order_by("seq")
    chain = Chain(origin="localhost/audit/1")
    first = rows[0]
    drifted = {"at": first.content["ts"], "event": "draft.approved"}
    with pytest.raises(verifying.Broken, match="column event"):
        chain.follow(Row(0, first.body, first.leaf, drifted))


@pytest.mark.parametrize(
    "body", [None, "text", 7, b"", b"{}", b"[]", b"\xff\xfe", b'{"actor":1,"object":[],"texts":"x"}']
)
def test_the_check_never_stumbles_over_what_it_finds(body: object) -> None:
    leaf = leaf_hash(body) if isinstance(body, bytes) else None
    with pytest.raises(verifying.Broken):
        Chain(origin="localhost/audit/1").follow(Row(0, body, leaf, {"at": None}))


def test_a_clock_that_went_back_is_noted_and_not_a_fault(history: None) -> None:
    last = Entry.objects.get(seq=SIZE - 1)
    body = reworded(last.seq, ts="2020-01-01T00:00:00.000000Z")
    rewrite(last.seq, body)
    execute("UPDATE audit_head SET last_hash = %s", entry_hash(body))
    verdict = verify()
    assert verdict.state is State.VALID
    assert verdict.notes == ("The server's clock went back before entry 11.",)


def test_a_complete_rewrite_is_not_found_and_the_check_says_so(history: None) -> None:
    """The limit of a log that is compared with itself; checkpoints outside the server will lift it."""
    prev = Entry.objects.get(seq=3).hash
    for seq in range(4, SIZE):
        body = reworded(seq, prev=prev.hex(), outcome="denied")
        rewrite(seq, body)
        prev = entry_hash(body)
    execute("UPDATE audit_head SET last_hash = %s", prev)
    verdict = verify()
    assert verdict.state is State.VALID
    assert "rewrite the log" in verdict.limits


@pytest.mark.parametrize(
    ("attack", "status", "words"),
    [(None, 0, "VALID 12 entries, head "), (delete_one, 1, "Entry 4 is missing; the next one found is 5.")],
)
def test_the_command_says_the_verdict_and_its_limits(
    history: None, attack: Callable[[], None] | None, status: int, words: str
) -> None:
    if attack:
        attack()
    out, err = StringIO(), StringIO()
    assert run(out, err) == status
    assert words in out.getvalue()
    assert err.getvalue().strip() == LIMITS


def test_the_command_speaks_json(history: None) -> None:
    delete_one()
    out = StringIO()
    assert run(out, StringIO(), "--json") == 1
    said = json.loads(out.getvalue())
    assert (said["state"], said["first_bad"], said["finding"], said["entries"]) == ("INVALID", 4, "gap", 4)
    assert said["limits"] == LIMITS


def test_a_log_that_cannot_be_read_is_not_called_valid(
    history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: object) -> Iterator[Row]:
        raise OperationalError

    monkeypatch.setattr(verifying, "_rows", gone)
    out = StringIO()
    assert run(out, StringIO()) == 2
    assert out.getvalue().startswith("UNCHECKED 0 entries")


def run(out: StringIO, err: StringIO, *arguments: str) -> int:
    try:
        call_command("audit_verify", *arguments, stdout=out, stderr=err)
    except SystemExit as left:
        return int(str(left.code))
    return 0
