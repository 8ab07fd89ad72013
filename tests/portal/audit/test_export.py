from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path

import pytest

from portal.audit import export as exporting
from portal.audit.entry import NOTHING_BEFORE, entry_hash
from portal.audit.events import Event
from portal.audit.export import Format, export, safe_cell
from portal.audit.filters import Filter
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry, TextSecret
from tests.cast import Cast

DOCUMENT = Path(__file__).parents[3] / "docs" / "audit-log.md"
SYSTEM = Actor.system("test")


def write(count: int) -> None:
    for number in range(count):
        record(Event.DRAFT_OPENED, actor=SYSTEM, subject=Subject("draft", number % 3), corr=f"d{number % 3}")


def lines(chosen: Filter | None = None) -> list[bytes]:
    made = export(chosen or Filter(), format=Format.JSONL, reason="yearly review", actor=SYSTEM)
    return b"".join(made.chunks()).splitlines()


def rows(chosen: Filter | None = None) -> list[dict[str, str]]:
    made = export(chosen or Filter(), format=Format.CSV, reason="yearly review", actor=SYSTEM)
    return list(csv.DictReader(io.StringIO(b"".join(made.chunks()).decode("utf-8-sig"))))


@pytest.mark.django_db
def test_a_whole_export_is_the_exact_entries_and_chains_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BATCH", 4)
    write(10)
    exported = lines()
    assert exported == [entry.exact_bytes for entry in Entry.objects.order_by("seq")[:10]]
    before = NOTHING_BEFORE
    for line in exported:
        assert json.loads(line)["prev"] == before.hex()
        before = entry_hash(line)


@pytest.mark.django_db
def test_the_check_that_the_documents_give_to_strangers_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = DOCUMENT.read_text().split("```python\n")[1].split("```")[0]
    write(10)
    file = tmp_path / "log.jsonl"
    exported = lines()
    file.write_bytes(b"".join(line + b"\n" for line in exported))
    program = compile(recipe.replace("audit-log-to-1234.jsonl", str(file)), str(DOCUMENT), "exec")
    exec(program, {})
    assert capsys.readouterr().out == f"head {entry_hash(exported[-1]).hex()}\n"
    file.write_bytes(b"".join(line.replace(b"system", b"sister") + b"\n" for line in exported))
    with pytest.raises(AssertionError, match="broken at entry 1"):
        exec(program, {})


@pytest.mark.django_db
def test_an_export_is_told_of_and_does_not_hold_its_own_record(cast: Cast) -> None:
    write(6)
    made = export(
        Filter(about="d1"), format=Format.CSV, reason="For the insurer.", actor=Actor.user(cast.erin)
    )
    told = Entry.objects.latest("seq")
    assert told.event == "audit.exported"
    assert told.content["detail"] == {
        "format": "csv",
        "entries": 2,
        "withheld": 4,
        "filter_sha256": Filter(about="d1").digest,
        "up_to": 6,
    }
    kept = {text.field: text.value for text in TextSecret.objects.filter(seq=told.seq)}
    assert kept == {"reason": "For the insurer.", "filter": "about=d1"}
    assert made.count == 2
    assert b"audit.exported" not in b"".join(made.chunks())


@pytest.mark.django_db
def test_entries_written_while_an_export_streams_are_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BATCH", 2)
    write(6)
    made = export(Filter(), format=Format.JSONL, reason="yearly review", actor=SYSTEM)
    chunks = made.chunks()
    first = next(chunks)
    write(6)
    assert len(b"".join([first, *chunks]).splitlines()) == made.count == 6


@pytest.mark.django_db
def test_the_table_is_for_people(cast: Cast) -> None:
    record(
        Event.ROLE_GRANTED,
        actor=Actor.user(cast.dana),
        subject=Subject("person", cast.bob.pk),
        role="reviewer",
    )
    (row,) = rows()
    entry = Entry.objects.get(seq=0)
    assert row["What happened"] == "Dana gave Bob the role reviewer."
    assert (row["Number"], row["Who"], row["Roles then"]) == ("0", "Dana", "admin")
    assert row["Facts"] == '{"role": "reviewer"}'
    assert row["SHA-256 of the entry"] == entry.hash.hex()
    assert row["Time (UTC)"] == entry.content["ts"]


@pytest.mark.django_db
def test_a_name_that_is_a_formula_arrives_as_text(cast: Cast) -> None:
    cast.dana.full_name = '=HYPERLINK("https://mallory.example","Dana")'
    cast.dana.save()
    record(Event.PERSON_SIGNED_OUT, actor=Actor.user(cast.dana), subject=None)
    (row,) = rows()
    assert row["Who"].startswith("'=HYPERLINK")
    assert row["What happened"].startswith("'=HYPERLINK")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("", ""),
        ("Dana", "Dana"),
        ("a=b", "a=b"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("|cmd", "'|cmd"),
        ("%0A", "'%0A"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20x", "'\uff20x"),
    ],
)
def test_no_cell_is_run_as_a_formula(given: str, shown: str) -> None:
    assert safe_cell(given) == shown


@pytest.mark.django_db
@pytest.mark.parametrize("form", Format)
def test_a_long_export_needs_no_more_memory_than_a_short_one(
    form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 50)
    write(600)
    peaks = []
    for chosen in (Filter(about="d1"), Filter()):  # 200 and 600 entries
        made = export(chosen, format=form, reason="yearly review", actor=SYSTEM)
        tracemalloc.start()
        assert sum(len(chunk) for chunk in made.chunks()) > 200 * 150
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
