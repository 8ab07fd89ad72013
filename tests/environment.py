"""The environment of the test run, set before Django reads its settings (`-p tests.environment`).

Each of pytest-xdist's workers has its own data folder and its own numbered Redis databases, so none meets the
files, cache or messages of another.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

DEFAULTS = {
    "DEBUG": "0",
    "HASHED_STATIC": "0",
    "SECRET_KEY": "test-only-secret-key-of-fifty-characters-at-the-least",
    "SITE_URL": "http://localhost",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "TOKEN_KEYS": "k2:MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI=",
    "CLIO_SANDBOX_CLIENT_ID": "sandbox-app",
    "CLIO_SANDBOX_CLIENT_SECRET": "sandbox-secret",
    "UNDO_SECONDS": "30",
    "LOG_LEVEL": "WARNING",
    # Playwright's sync API runs a loop in the test's thread, and then Django refuses the database to it.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}

for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="countersign-test-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker:
    os.environ["DATA_DIR"] = str(Path(os.environ["DATA_DIR"]) / worker)
    for name in ("CELERY_BROKER_URL", "CACHE_URL"):
        if found := re.fullmatch(r"(redis://.+/)(\d+)", os.environ.get(name, "")):
            os.environ[name] = f"{found[1]}{int(found[2]) + 2 * int(worker.removeprefix('gw'))}"

# WhiteNoise warns of a missing folder.
(Path(os.environ["DATA_DIR"]) / "static").mkdir(parents=True, exist_ok=True)
