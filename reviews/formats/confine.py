"""Running the parsers of strangers' files in a short-lived process of their own.

PDF libraries are C and C++; a hostile file may crash them, fill the memory or never end. The child has hard
limits on memory, time and files, an empty environment, and only this one file. What goes wrong there is a
refusal here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from reviews.formats.report import NoSuchPage, Reason, Refused

TIMEOUT_SECONDS = 30
ROOT = Path(__file__).resolve().parents[2]
_CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from reviews.formats.confined import main; main(sys.argv[2], sys.argv[3])"
)


@dataclass(frozen=True)
class Answer:
    facts: dict[str, Any]
    body: bytes


def run(job: str, file: BinaryIO, **options: Any) -> Answer:
    """Do a job of `confined.JOBS` on the file. Raises Refused, also when the child crashed,
    hung or grew too large, and NoSuchPage."""
    with _on_disk(file) as handle:
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-I", "-X", "utf8", "-c", _CHILD, str(ROOT), job, json.dumps(options)],
                stdin=handle,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                env={},
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _too_much() from error
    file.seek(0)
    head, ended, body = done.stdout.partition(b"\n")
    if done.returncode != 0 or not ended:
        raise _too_much()
    facts = json.loads(head)
    if "refused" in facts:
        raise Refused(Reason(facts["refused"]), facts["sentence"])
    if "missing" in facts:
        raise NoSuchPage(facts["missing"])
    return Answer(facts, body)


@contextmanager
def _on_disk(file: BinaryIO) -> Iterator[BinaryIO]:
    """A handle the child can inherit. It shares its place in the file with us: it starts at zero."""
    file.seek(0)
    try:
        file.fileno()
    except OSError:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy
        return
    yield file


def _too_much() -> Refused:
    return Refused(
        Reason.TOO_COMPLEX,
        "The file could not be read within safe limits of time and memory. "
        "Print it to PDF again from the program it was made with, and send the new file.",
    )
