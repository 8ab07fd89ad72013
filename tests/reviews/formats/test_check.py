"""The whole check: honest files pass, anything else is refused and nothing else ever happens."""

from __future__ import annotations

import io
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviews.formats import (
    Finding,
    FindingCode,
    Inspection,
    MediaType,
    Reason,
    Refused,
    check,
    confine,
    plain_text,
)
from tests.reviews.formats.made import EXAMPLES, docx, examine, found, paragraph, pdf, refusal

MANIFEST = json.loads((EXAMPLES / "manifest.json").read_text())
DRAFTS = {entry["file"]: (EXAMPLES / entry["file"]).read_bytes() for entry in MANIFEST["drafts"]}
SMALL = {
    "a.docx": docx(paragraph("Dear Sir") * 3),
    "a.md": b"# Title\n\n[link](https://a.example) and <b>text</b>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "a.txt": "Grüße, \u202e und mehr".encode(),
    "a.html": b"<!doctype html><html><body><p style='color:red'>x <a href='https://a.example'>y</a></p></body></html>",
}


@pytest.mark.parametrize("name", DRAFTS)
def test_every_example_is_accepted(name: str, afar: None) -> None:
    inspection = examine(name.rpartition("/")[2], DRAFTS[name])
    assert inspection.word_count and inspection.word_count > 250
    assert (inspection.media_type is MediaType.PDF) == (inspection.page_count is not None)
    assert FindingCode.HIDDEN_TEXT not in found(inspection)


@pytest.mark.parametrize("name", DRAFTS)
def test_the_words_of_every_example_can_be_read(name: str, afar: None) -> None:
    data = DRAFTS[name]
    inspection = examine(name.rpartition("/")[2], data)
    text = plain_text(inspection.media_type, io.BytesIO(data))
    assert "Harrow" in text or "2026" in text
    assert inspection.word_count
    assert abs(len(text.split()) - inspection.word_count) <= 0.1 * inspection.word_count


def test_the_examples_are_eight_of_five_kinds_and_small() -> None:
    kinds = {examine(name.rpartition("/")[2], data).media_type for name, data in DRAFTS.items()}
    assert len(DRAFTS) >= 8 and kinds == set(MediaType)
    assert sum(map(len, DRAFTS.values())) < 1_000_000
    assert {path.name for path in (EXAMPLES / "drafts").iterdir()} == {
        name.rpartition("/")[2] for name in DRAFTS
    }


def test_every_example_says_where_it_comes_from() -> None:
    for entry in MANIFEST["drafts"]:
        assert set(entry) == {"file", "title", "matter", "kind", "provenance"}
        assert set(entry["provenance"]) == {"tool", "model", "version", "task"}
        assert all(entry["provenance"].values()) and entry["kind"] == "document"


def test_the_tracked_changes_of_the_memo_are_listed() -> None:
    counts = found(
        examine("memo.docx", DRAFTS["drafts/Memo - assignment clause of the warehouse lease.docx"])
    )
    assert counts["tracked_changes"] == 4 and counts["comments"] == 1


def test_the_name_is_judged_before_the_content() -> None:
    assert refusal("CON.docx", b"").code is Reason.NAME


def test_the_warning_about_a_name_stands_among_the_findings() -> None:
    first = examine("p\u0430y.txt", b"Hello there").findings[0]
    assert isinstance(first, Finding) and first.code is FindingCode.CONFUSABLE_NAME


@pytest.mark.parametrize("announced", [0, 4, 6, 10**9])
def test_a_file_of_another_length_than_announced_is_refused(announced: int) -> None:
    with pytest.raises(Refused) as caught:
        check("a.txt", io.BytesIO(b"Hello"), announced)
    assert caught.value.code is Reason.DAMAGED and "Not all of the file arrived" in caught.value.sentence


def test_checking_does_not_change_the_file(afar: None) -> None:
    for name, data in SMALL.items():
        file = io.BytesIO(data)
        check(name, file, len(data))
        assert file.getvalue() == data


def answers(name: str, data: bytes) -> bool:
    """Whether the check ends in one of its two ways. Any other exception comes through and fails the test."""
    try:
        return isinstance(examine(name, data), Inspection)
    except Refused as refused:
        return bool(refused.sentence)


OFTEN = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
MUTATIONS = st.lists(
    st.tuples(st.integers(0, 10**6), st.binary(max_size=8), st.integers(0, 12)), min_size=1, max_size=6
)


def mutated(data: bytes, mutations: list[tuple[int, bytes, int]]) -> bytes:
    for at, new, gone in mutations:
        place = at % (len(data) + 1)
        data = data[:place] + new + data[place + gone :]
    return data


@settings(max_examples=120, deadline=None, suppress_health_check=OFTEN)
@given(st.sampled_from(sorted(SMALL)), MUTATIONS)
def test_any_mutation_is_inspected_or_refused(name: str, mutations: list[tuple[int, bytes, int]]) -> None:
    assert answers(name, mutated(SMALL[name], mutations))


@settings(max_examples=150, deadline=None, suppress_health_check=OFTEN)
@given(st.sampled_from(["a.docx", "a.md", "a.txt", "a.html"]), st.binary(max_size=300))
def test_any_bytes_are_inspected_or_refused(name: str, data: bytes) -> None:
    assert answers(name, data)


@settings(max_examples=60, deadline=None, suppress_health_check=OFTEN)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_html_is_inspected_or_refused(body: str) -> None:
    assert answers("a.html", b"<!doctype html><p>" + body.encode())


XML = st.text(alphabet="<>/=\"'w:tprinsdelfldChar &;![]-?\u202e0123456789", max_size=200)


@settings(max_examples=100, deadline=None, suppress_health_check=OFTEN)
@given(XML)
def test_any_word_body_is_inspected_or_refused(body: str) -> None:
    assert answers("a.docx", docx(body))


def test_mutations_of_a_pdf_are_inspected_or_refused() -> None:
    chance = random.Random(20)
    honest = pdf(pages=2)
    ends = {
        answers(
            "a.pdf",
            mutated(honest, [(chance.randrange(len(honest)), chance.randbytes(3), chance.randrange(6))]),
        )
        for _ in range(25)
    }
    assert ends == {True}


def test_a_word_file_of_twenty_megabytes_is_read_within_the_limits(afar: None) -> None:
    chance = random.Random(7)
    some = "".join(
        paragraph(f"Dear Sir, we write in matter {chance.randrange(10**9)}.") for _ in range(10_000)
    )
    assert examine("a.docx", docx(some * 20)).word_count == 10_000 * 20 * 7


HOSTILE = {
    "a.html": b"<p>" + b"<a " * 600_000,
    "a.md": b"x" + b"<a " * 600_000,
    "a.txt": b"word " * 1_900_000,
    "a.docx": docx("<w:p>" + "<w:r/>" * 2_000_000 + "</w:p>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_be_slow_is_answered(name: str, afar: None) -> None:
    """The confined process is ended when its time is over, so that an answer always comes."""
    assert answers(name, HOSTILE[name])


@pytest.mark.parametrize(
    ("how", "script"),
    [
        ("crashes", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"),
        ("fills the memory", "x = bytearray(4 * 1024**3)"),
        ("writes files", "open('/tmp/countersign-escape', 'wb').write(b'x' * 10)"),
        ("never ends", "while True: pass"),
    ],
)
def test_whatever_befalls_the_confined_process_is_a_refusal(
    how: str, script: str, afar: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = (
        "import sys; sys.path.insert(0, sys.argv[1]); from reviews.formats.confined import _limit; _limit(1)"
    )
    monkeypatch.setattr(confine, "_CHILD", f"{limits}\n{script}")
    with pytest.raises(Refused) as caught:
        check("a.txt", io.BytesIO(b"Hello"), 5)
    assert caught.value.code is Reason.TOO_COMPLEX, how


def test_the_confined_process_gets_no_secrets(afar: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "sesame")
    shown = "import os, sys, json; print(json.dumps({'refused': 'name', 'sentence': ' '.join(os.environ)}))"
    monkeypatch.setattr(confine, "_CHILD", shown)
    with pytest.raises(Refused) as caught:
        check("a.txt", io.BytesIO(b"Hello"), 5)
    assert "SECRET_KEY" not in caught.value.sentence and "PATH" not in caught.value.sentence
