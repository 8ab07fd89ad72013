"""A PostgreSQL server and a Redis server of our own, in temporary folders: real, empty, gone afterwards.

They work as root and as an ordinary user, listen on a free local port behind a random password, and die with
the process that started them, even when that is killed.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.stack import processes
from portal.stack.ports import HOST, free_port

READY_WITHIN = 30.0


@dataclass
class Postgresql:
    """A server with one database; `url` leads there, also after a restart."""

    folder: Path
    binaries: Path
    port: int
    url: str
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def restart(self, *, by: signal.Signals) -> None:
        """End it (SIGINT: transactions are broken off; SIGQUIT: as in a crash) and start it on its data."""
        processes.stop(self.process, within=30, by=by)
        self.process = _start_postgres(self.binaries, self.folder, port=self.port, settings=self.settings)
        self.wait()

    def wait(self) -> None:
        _wait_until(lambda: _postgres_answers(self.binaries, self.port), self.process, self.folder / "log")


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the DATABASE_URL of an empty database whose owner may create others."""
    with postgresql_server(synchronous_commit="off") as server:
        yield server.url


@contextmanager
def postgresql_server(**settings: str) -> Iterator[Postgresql]:
    """The same with the server in hand. What it commits outlives its own crash, unless a setting says no."""
    binaries = _postgresql_binaries()
    with _folder(owner=_database_user()) as folder:
        password, port = secrets.token_hex(16), free_port()
        _initdb(binaries, folder, password=password)
        process = _start_postgres(binaries, folder, port=port, settings=settings)
        url = f"postgresql://countersign:{password}@{HOST}:{port}/countersign"
        server = Postgresql(folder, binaries, port, url, settings, process)
        try:
            server.wait()
            _create_database(binaries, port, password)
            yield server
        finally:
            processes.stop(server.process, within=10, by=signal.SIGQUIT)


@contextmanager
def redis() -> Iterator[str]:
    """Yield the URL of an empty Redis server, without the number of a database."""
    with _folder(owner=None) as folder:
        password, port = secrets.token_hex(16), free_port()
        with (folder / "log").open("wb") as log:
            server = processes.start(
                [*_redis_command(), "--port", str(port), "--requirepass", password, "--dir", str(folder)],
                environment=os.environ,
                output=log,
                parting_signal=signal.SIGKILL,
            )
        try:
            _wait_until(
                lambda: "Ready to accept connections" in (folder / "log").read_text(), server, folder / "log"
            )
            yield f"redis://:{password}@{HOST}:{port}"
        finally:
            processes.stop(server, within=5)


def chromium() -> str:
    """The browser the journeys drive."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or _program(*names, why="the browser journeys")


def _redis_command() -> list[str]:
    program = _program("redis-server", "valkey-server", why="the tests with a real broker")
    return [program, "--bind", HOST, "--save", "", "--appendonly", "yes"]


def _postgresql_binaries() -> Path:
    packaged = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    if packaged:
        return packaged[-1].parent
    return Path(_program("initdb", why="the tests on PostgreSQL")).resolve().parent


def _program(*names: str, why: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise RuntimeError(f"{why} need {' or '.join(names)}; `make test` says how to install it")


def _database_user() -> str | None:
    """PostgreSQL refuses to run as root; its package brings a user for it."""
    if os.geteuid():
        return None
    return "postgres" if _is_user("postgres") else "nobody"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@contextmanager
def _folder(*, owner: str | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="countersign-", ignore_cleanup_errors=True) as name:
        if owner:
            shutil.chown(name, owner)
        yield Path(name)


def _initdb(binaries: Path, folder: Path, *, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if user := _database_user():
        shutil.chown(secret, user)
    _run(
        binaries / "initdb",
        *("-D", str(folder / "data"), "-U", "countersign", "-A", "scram-sha-256", "--pwfile", str(secret)),
        *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        cwd=folder,
        user=_database_user(),
    )


def _start_postgres(
    binaries: Path, folder: Path, *, port: int, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        **settings,
    }
    with (folder / "log").open("ab") as log:
        return processes.start(
            [
                str(binaries / "postgres"),
                *("-D", str(folder / "data")),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            environment=os.environ,
            output=log,
            cwd=folder,
            user=_database_user(),
            parting_signal=signal.SIGQUIT,
        )


def _postgres_answers(binaries: Path, port: int) -> bool:
    asked = subprocess.run(
        [binaries / "pg_isready", "-q", "-h", HOST, "-p", str(port)],
        check=False,
    )
    return asked.returncode == 0


def _create_database(binaries: Path, port: int, password: str) -> None:
    _run(
        binaries / "createdb",
        *("-h", HOST, "-p", str(port), "-U", "countersign", "countersign"),
        environment={**os.environ, "PGPASSWORD": password},
    )


def _run(
    program: Path,
    *words: str,
    cwd: Path | None = None,
    user: str | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    subprocess.run(
        [program, *words],
        cwd=cwd,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


def _wait_until(ready: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{server.args!r} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)
