"""Refuse tracked files that name a package registry's host or a folder of somebody's machine.

A clone must install from whatever index its owner has configured, and run wherever it lies.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Written with character classes, so that this file does not find itself.
REFUSED = {
    "registry host": re.compile(
        r"\b(?:[p]ypi\.org|[p]ythonhosted\.org|[r]egistry\.npmjs\.org|[n]pmjs\.com|[p]roxy\.golang\.org)"
    ),
    "machine path": re.compile(r"(?<![\w.$}/-])/(?:[r]oot|[h]ome|[U]sers|[w]ork)/[\w.-]"),
    "index setting": re.compile(r"^\s*--(?:[e]xtra-)?(?:[i]ndex-url|[f]ind-links|[t]rusted-host)\b"),
}


def main() -> int:
    findings = [finding for path in _tracked() for finding in _findings(path)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def _tracked() -> list[Path]:
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name]


def _findings(path: Path) -> Iterator[str]:
    try:
        text = (ROOT / path).read_text("utf-8")
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in REFUSED.items():
            if found := pattern.search(line):
                yield f"{path}:{number}: {what}: {found.group(0).strip()}"


if __name__ == "__main__":
    sys.exit(main())
