"""What a portal is made of: the command of each part, and how one sees that it is ready."""

from __future__ import annotations

import http.client
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.stack.place import Place
from portal.stack.ports import HOST

CELERY = (sys.executable, "-m", "celery", "-A", "portal.celery:app")


@dataclass(frozen=True)
class Part:
    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    parting_signal: signal.Signals = signal.SIGTERM


def parts_of(place: Place) -> list[Part]:
    return [_sandbox(place), _web(place), _worker(place), _beat(place)]


def _sandbox(place: Place) -> Part:
    ports = place.ports
    command = (
        *(sys.executable, "-m", "clio_sync.sandbox", "--data", str(place.data / "sandbox")),
        *("--host", HOST, "--api-port", str(ports.sandbox_api)),
        *("--storage-port", str(ports.sandbox_storage), "--control-port", str(ports.sandbox_control)),
    )
    return Part("sandbox", command, lambda: _answers(f"{place.sandbox_control}/health"))


def _web(place: Place) -> Part:
    command = (
        *(sys.executable, "-m", "gunicorn", "portal.wsgi:application"),
        *(
            "--bind",
            f"{HOST}:{place.ports.web}",
            "--worker-class",
            "gthread",
            "--workers",
            "2",
            "--threads",
            "4",
        ),
        *("--no-control-socket", "--graceful-timeout", "4", "--access-logfile", "-"),
        *("--logger-class", "portal.access_log.WithoutSecrets"),
    )
    return Part("web", command, lambda: _answers(f"http://{HOST}:{place.ports.web}/healthz"))


def _worker(place: Place) -> Part:
    command = (
        *(*CELERY, "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--hostname", "worker@localhost"),
    )
    # A killed worker's rows wait for their lease and go on; a slow goodbye gains nothing.
    return Part("worker", command, lambda: _says(place.logs / "worker.log", " ready."), signal.SIGKILL)


def _beat(place: Place) -> Part:
    schedule = place.data / "beat-schedule"
    command = (*CELERY, "beat", "--schedule", str(schedule), "--pidfile", "", "--loglevel", "INFO")
    return Part("beat", command, lambda: _says(place.logs / "beat.log", "beat: Starting"))


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - an address of ours
            return bool(answer.status == http.client.OK)
    except (urllib.error.URLError, OSError, http.client.HTTPException):
        return False


def _says(log: Path, words: str) -> bool:
    return log.exists() and words in log.read_text(encoding="utf-8", errors="replace")
