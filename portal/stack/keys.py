"""The secrets of a portal on this machine: made once, kept in a file only its owner can read."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

FILE = "local.env"


def local_keys(data: Path) -> dict[str, str]:
    """SECRET_KEY and TOKEN_KEYS of this data folder. Losing them means signing in and connecting again."""
    path = data / FILE
    if not path.exists():
        _write(path, _new_keys())
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "=" in line]
    return dict(line.split("=", 1) for line in lines)


def _new_keys() -> dict[str, str]:
    encryption_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {"SECRET_KEY": secrets.token_urlsafe(64), "TOKEN_KEYS": f"local:{encryption_key}"}


def _write(path: Path, keys: dict[str, str]) -> None:
    """All or nothing, and never readable by others, not even for a moment."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in keys.items())
    unfinished.rename(path)
