from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from reviews.comparison import MAX_PARAGRAPHS, Paragraph, compare

LINES = st.lists(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1
    ),
    max_size=8,
).map("\n".join)


def _side(paragraphs: tuple[Paragraph, ...], gone: str) -> list[str]:
    kept = ["".join(run.text for run in paragraph.runs if run.kind != gone) for paragraph in paragraphs]
    return [text for text in kept if text.strip()]


@given(LINES, LINES)
def test_both_texts_come_back_from_a_comparison(before: str, after: str) -> None:
    result = compare(before, after).paragraphs
    assert _side(result, "removed") == [line.strip() for line in after.splitlines() if line.strip()]
    assert _side(result, "added") == [line.strip() for line in before.splitlines() if line.strip()]


def test_a_changed_word_is_marked_and_its_neighbours_are_not() -> None:
    (paragraph,) = compare("We offer 5,000 euros.", "We offer 6,000 euros.").paragraphs
    kinds = [(run.kind, run.text) for run in paragraph.runs]
    assert kinds == [("same", "We offer "), ("removed", "5"), ("added", "6"), ("same", ",000 euros.")]


def test_two_endless_lines_are_shown_whole_and_at_once() -> None:
    """Word by word they would take an hour, in which nobody else is served."""
    chance = random.Random(1)
    before, after = (" ".join(chance.choice("ab") for _ in range(100_000)) for _ in range(2))
    began = time.process_time()
    (paragraph,) = compare(before, after).paragraphs
    assert [run.kind for run in paragraph.runs] == ["removed", "added"]
    assert time.process_time() - began < 5


def test_many_long_paragraphs_do_not_add_up_to_hours() -> None:
    chance = random.Random(1)
    before, after = (
        "\n".join(" ".join(chance.choice("ab") for _ in range(450)) for _ in range(200)) for _ in range(2)
    )
    began = time.process_time()
    assert len(compare(before, after).paragraphs) == 200
    assert time.process_time() - began < 15


def test_a_comparison_says_when_the_documents_go_on() -> None:
    text = "\n".join(f"The parties agree to term {number}." for number in range(MAX_PARAGRAPHS))
    assert compare(text, text).is_whole
    assert not compare(text, f"{text}\nBut not to this.").is_whole
