from __future__ import annotations

from typing import Any, BinaryIO

import pytest

from reviews.formats import MediaType, Reason, Refused, confine, confined


def here(job: str, file: BinaryIO, **options: Any) -> confine.Answer:
    facts, body = confined.answer(job, file, options)
    if "refused" in facts:
        raise Refused(Reason(facts["refused"]), facts["sentence"])
    return confine.Answer(facts, body)


@pytest.fixture(autouse=True)
def near(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of small files are read in this process; PDFs, and what is marked `afar`, in their own."""
    real = confine.run

    def run(job: str, file: BinaryIO, **options: Any) -> confine.Answer:
        return (real if options.get("kind") == MediaType.PDF else here)(job, file, **options)

    if "afar" not in request.fixturenames:
        monkeypatch.setattr(confine, "run", run)


@pytest.fixture
def afar() -> None:
    """This test reads every file in the confined process, as the portal does."""
