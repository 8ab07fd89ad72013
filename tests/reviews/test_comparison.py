from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reviews.comparison import Paragraph, compare

LINES = st.lists(
    st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1
    ),
    max_size=8,
).map("\n".join)


def _side(paragraphs: list[Paragraph], gone: str) -> list[str]:
    kept = ["".join(run.text for run in paragraph.runs if run.kind != gone) for paragraph in paragraphs]
    return [text for text in kept if text.strip()]


@given(LINES, LINES)
def test_both_texts_come_back_from_a_comparison(before: str, after: str) -> None:
    result = compare(before, after)
    assert _side(result, "removed") == [line.strip() for line in after.splitlines() if line.strip()]
    assert _side(result, "added") == [line.strip() for line in before.splitlines() if line.strip()]


def test_a_changed_word_is_marked_and_its_neighbours_are_not() -> None:
    (paragraph,) = compare("We offer 5,000 euros.", "We offer 6,000 euros.")
    kinds = [(run.kind, run.text) for run in paragraph.runs]
    assert kinds == [("same", "We offer "), ("removed", "5"), ("added", "6"), ("same", ",000 euros.")]
