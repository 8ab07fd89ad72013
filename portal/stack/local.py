"""A portal running on this machine for as long as a `with` block lasts."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from portal.stack.parts import parts_of
from portal.stack.place import Place
from portal.stack.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 90.0


class PreparationFailed(Exception):
    """The data folder could not be made ready; the lines above say why."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@contextmanager
def running(place: Place) -> Iterator[Supervisor]:
    """Prepare the data, start every part, and stop them all at the end, however it comes.

    Raises PlaceTaken, PreparationFailed or NotReady, each with a sentence for the person at the terminal.
    """
    place.prepare()
    with place.held():
        environment = place.environment()
        _prepare_data(environment)
        supervisor = Supervisor(
            parts_of(place), environment=environment, logs=place.logs, state=place.data / "running.json"
        )
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            supervisor.start()
            supervisor.wait_until_ready(within=READY_WITHIN)
            place.publish()
            yield supervisor
        finally:
            supervisor.stop()


def _prepare_data(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "portal.stack.prepare"]
    if subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        raise PreparationFailed


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends us as Ctrl-C does: by way of every `finally`."""
    raise KeyboardInterrupt
