"""The containers' health check: `python -m portal.alive web|worker|beat` exits 0 while that part is well."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

BEAT_SCHEDULE = Path("/tmp/beat-schedule")  # noqa: S108 - the container's own
BEAT_SAVES_WITHIN = 600.0  # Celery saves the schedule every three minutes


def web_is_alive(port: int = 8000) -> bool:
    """The site answers its health check under the name it is known by."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    host = urlsplit(os.environ.get("SITE_URL", "")).hostname or "localhost"
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def worker_is_alive(host: str = "") -> bool:
    """The worker on this host answers through the broker."""
    from portal.celery import app  # noqa: PLC0415 - the other two need no Celery

    return bool(app.control.ping([f"worker@{host or socket.gethostname()}"], timeout=10))


def beat_is_alive(schedule: Path = BEAT_SCHEDULE) -> bool:
    """Beat has saved its schedule not long ago; the file's ending depends on the system's database module."""
    saved = [path.stat().st_mtime for path in schedule.parent.glob(f"{schedule.name}*")]
    return bool(saved) and time.time() - max(saved) < BEAT_SAVES_WITHIN


CHECKS: dict[str, Callable[[], bool]] = {
    "web": web_is_alive,
    "worker": worker_is_alive,
    "beat": beat_is_alive,
}

if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
