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
CPU_SECONDS = 12

# Each job takes the file and options, and returns facts for JSON and a body of bytes.
JOBS = {
    "inspect": "reviews.formats.inspectors:inspect",
    "words": "reviews.formats.inspectors:words",
    "page_count": "reviews.preview.pages:count",
    "page_png": "reviews.preview.pages:png",
    "page_text": "reviews.preview.pages:text",
    "render_docx": "reviews.preview.docx:convert",
    "render_docx_plainly": "reviews.preview.docx:convert_plainly",
    "render_markdown": "reviews.preview.markup:markdown",
    "render_html": "reviews.preview.markup:html",
}
# Seconds for what should be over at once; a slow one is refused, or shown in a plainer form.
QUICK = {
    "render_markdown": 3,
    "render_html": 3,
    "render_docx": 10,
    "inspect text/html": 3,
    "words text/html": 3,
}


def main(job: str, written_options: str) -> None:
    options = json.loads(written_options)
    task = f"{job} {options.get('kind', '')}".rstrip()
    _limit(QUICK.get(task, CPU_SECONDS))
    with os.fdopen(os.dup(0), "rb") as file:
        facts, body = answer(job, file, options)
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + body)
    sys.stdout.buffer.flush()
    os._exit(0)  # skip the teardown of C libraries that a hostile file may have upset


def answer(job: str, file: BinaryIO, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    module, _, name = JOBS[job].partition(":")
    work = getattr(importlib.import_module(module), name)
    try:
        facts, body = work(file, **options)
    except Refused as refusal:
        return {"refused": refusal.code, "sentence": refusal.sentence}, b""
    except NoSuchPage as missing:
        return {"missing": str(missing)}, b""
    return facts, body


def _limit(seconds: int) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
