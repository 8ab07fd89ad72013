"""Child processes that never outlive the program that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PIPE = subprocess.PIPE
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def start(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | int | None,
    cwd: Path | None = None,
    user: str | None = None,
    parting_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own.

    On Linux the kernel sends it `parting_signal` when we die, however we die. Call it from a thread living
    as long as the child should (to the kernel the parent is the thread), and with no other threads at work:
    code of ours runs between fork and exec.
    """
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        start_new_session=True,
        preexec_fn=die_with(os.getpid(), parting_signal),  # noqa: PLW1509 - see above
    )


def stop(process: subprocess.Popen[bytes], *, within: float, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the child to end, then insist; its whole session goes with it."""
    stop_all([process], within=within, by=by)


def stop_all(
    processes: Sequence[subprocess.Popen[bytes]], *, within: float, by: signal.Signals = signal.SIGTERM
) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(by)
    deadline = time.monotonic() + within
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        kill_session(process)


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Take away what a dead child left running in its session, for example the pool of a killed worker."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def die_with(parent: int, parting_signal: signal.Signals) -> Callable[[], None] | None:
    libc = _libc
    if libc is None:
        return None

    def before_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(parting_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os.kill(os.getpid(), signal.SIGKILL)

    return before_exec
