"""The environment of the test run, set before Django reads its settings (`-p tests.environment`)."""

from __future__ import annotations

import os
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
}

for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="countersign-test-")
(Path(os.environ["DATA_DIR"]) / "static").mkdir(exist_ok=True)  # WhiteNoise warns of a missing folder
