from __future__ import annotations

from dataclasses import replace

from portal.demo.proof import Filed, table

TRUE = Filed(
    name="letter.docx",
    submitted="a" * 64,
    approved="a" * 64,
    stored="a" * 64,
    document_id=4711,
    version=1,
    calls=2,
    is_visible=True,
)


def test_a_document_that_holds_every_promise_has_no_faults() -> None:
    assert TRUE.faults() == []
    assert "letter.docx  4711" in table([TRUE])


def test_every_broken_promise_is_told() -> None:
    assert "approved bbbb" in replace(TRUE, approved="b" * 64, stored="b" * 64).faults()[0]
    assert "stored bbbb" in replace(TRUE, stored="b" * 64).faults()[0]
    assert "stored nothing" in replace(TRUE, stored="").faults()[0]
    assert "3 Clio API calls" in replace(TRUE, calls=3).faults()[0]
    assert "cannot be seen" in replace(TRUE, is_visible=False).faults()[0]


def test_the_table_shows_hashes_that_differ() -> None:
    assert "aaaaaaaa / aaaaaaaa / bbbbbbbb" in table([replace(TRUE, stored="b" * 64)])
