from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.stack.parts import Part
from portal.stack.supervisor import NotReady, Supervisor

HELLO = "import time; print('hello', flush=True); time.sleep(60)"


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], Supervisor]]:
    """Supervise one part that runs the given Python program; ready once it has said hello."""
    supervisors = []

    def supervise(program: str) -> Supervisor:
        log = tmp_path / "part.log"
        part = Part(
            "part", [sys.executable, "-c", program], lambda: log.exists() and "hello" in log.read_text()
        )
        supervisors.append(
            Supervisor([part], environment=os.environ, logs=tmp_path, state=tmp_path / "running.json")
        )
        return supervisors[-1]

    yield supervise
    for supervisor in supervisors:
        supervisor.stop(within=1)


def test_a_part_that_dies_is_started_again(supervise: Callable[[str], Supervisor], tmp_path: Path) -> None:
    supervisor = supervise(HELLO)
    supervisor.start()
    supervisor.wait_until_ready(within=10)
    first = supervisor.pids()["part"]
    os.kill(first, signal.SIGKILL)
    _tend(supervisor, lambda: supervisor.pids().get("part") not in (first, None))
    assert _lives(supervisor.pids()["part"])


def test_a_killed_part_leaves_nothing_of_its_own_behind(
    supervise: Callable[[str], Supervisor], tmp_path: Path
) -> None:
    bear = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"
    supervisor = supervise(f"{bear}; {HELLO}")
    supervisor.start()
    supervisor.wait_until_ready(within=10)
    grandchild = int((tmp_path / "part.log").read_text().split()[0])
    assert _lives(grandchild)
    os.kill(supervisor.pids()["part"], signal.SIGKILL)
    _tend(supervisor, lambda: not _lives(grandchild))
    assert not _lives(grandchild)


def test_a_part_that_never_comes_up_is_named_with_the_end_of_its_log(
    supervise: Callable[[str], Supervisor],
) -> None:
    supervisor = supervise("raise SystemExit('no such table: drafts')")
    supervisor.start()
    with pytest.raises(NotReady, match=r"(?s)part does not come up.*no such table: drafts"):
        supervisor.wait_until_ready(within=30)


def test_warnings_reach_the_console_and_the_rest_stays_in_the_log(
    supervise: Callable[[str], Supervisor], capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor = supervise(f"print('INFO all is well'); print('WARNING disk is nearly full'); {HELLO}")
    supervisor.start()
    supervisor.wait_until_ready(within=10)
    supervisor.tend()
    assert capsys.readouterr().out == "part: WARNING disk is nearly full\n"


def test_stopping_takes_away_a_part_that_will_not_listen(supervise: Callable[[str], Supervisor]) -> None:
    supervisor = supervise(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {HELLO}")
    supervisor.start()
    supervisor.wait_until_ready(within=10)
    deaf = supervisor.pids()["part"]
    supervisor.stop(within=0.2)
    assert not _lives(deaf)


def _tend(supervisor: Supervisor, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    supervisor.tend_until(lambda: until() or time.monotonic() > deadline)


def _lives(pid: int) -> bool:
    """Running, and not merely waiting to be buried by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
