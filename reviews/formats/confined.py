"""The child's side of `confine`: limits first, then one job on the file at standard input."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from typing import Any, BinaryIO

from reviews.formats.report import NoSuchPage, Refused

MEMORY = 1024**3
CPU_SECONDS = 20

# Each job takes the file and options, and returns facts for JSON and a body of bytes.
JOBS = {
    "inspect_pdf": "reviews.formats.pdf:examine",
    "page_count": "reviews.preview.pages:count",
    "page_png": "reviews.preview.pages:png",
    "page_text": "reviews.preview.pages:text",
    "all_text": "reviews.preview.pages:all_text",
    "render_docx": "reviews.preview.docx:convert",
}


def main(job: str, options: str) -> None:
    _limit()
    module, _, name = JOBS[job].partition(":")
    work = getattr(importlib.import_module(module), name)
    with os.fdopen(os.dup(0), "rb") as file:
        facts, body = _attempt(work, file, json.loads(options))
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + body)
    sys.stdout.buffer.flush()
    os._exit(0)  # skip the teardown of C libraries that a hostile file may have upset


def _attempt(work: Any, file: BinaryIO, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        facts, body = work(file, **options)
    except Refused as refusal:
        return {"refused": refusal.code, "sentence": refusal.sentence}, b""
    except NoSuchPage as missing:
        return {"missing": str(missing)}, b""
    return facts, body


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
