"""Start the portal on this machine.

    python -m portal.stack run      everything, until Ctrl-C; demo people, and demo drafts unless EMPTY=1
    python -m portal.stack demo     everything in a temporary folder, the main job once, and a verdict
    python -m portal.stack serve    everything on free ports, for the tests and benchmarks; prints "ready"
    python -m portal.stack manage COMMAND ...    a management command on the data of `run`

DATA_DIR names the folder (default: data) and PORTS the four ports (default: 8000,8801,8802,8803: web, and the
sandbox's API, storage and control). DATABASE_URL, CELERY_BROKER_URL, CACHE_URL take PostgreSQL and Redis.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from portal.stack import announce, processes
from portal.stack.local import ROOT, PreparationFailed, running
from portal.stack.place import Place, PlaceTaken
from portal.stack.ports import Ports
from portal.stack.supervisor import NotReady, Supervisor

DEMO_PACE = {"UNDO_SECONDS": "2", "SWEEP_SECONDS": "1"}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m portal.stack", usage=__doc__)
    parser.add_argument("act", choices=_ACTS)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    os.chdir(ROOT)
    try:
        return _ACTS[chosen.act](chosen.words)
    except KeyboardInterrupt:
        return 130
    except (PlaceTaken, NotReady, PreparationFailed) as error:
        print(error, file=sys.stderr)
        return 1


def run(words: Sequence[str]) -> int:
    usual = _ports_of_the_environment()
    place = Place(_usual_folder(), usual.settled())
    print("Starting (a few seconds) ...", flush=True)
    with running(place) as supervisor:
        announce.say(place, usual=usual)
        drafts = None if os.environ.get("EMPTY") or place.has_demo_drafts else _journey(place, "offer")
        try:
            supervisor.tend_until(lambda: False)
        except KeyboardInterrupt:
            print("\nStopping ...", flush=True)
        finally:
            processes.stop_all([drafts] if drafts else [], within=2)
    return 0


def demo(words: Sequence[str]) -> int:
    for name, value in DEMO_PACE.items():
        os.environ.setdefault(name, value)
    place = Place(Path(tempfile.mkdtemp(prefix="countersign-demo-")), Ports.free())
    status = 1
    try:
        with running(place) as supervisor:
            status = _follow(supervisor, _journey(place, "prove"))
    finally:
        if status == 0:
            shutil.rmtree(place.data, ignore_errors=True)
        else:
            print(f"The demo's data and logs are kept in {place.data}", file=sys.stderr)
    return status


def serve(words: Sequence[str]) -> int:
    place = Place(_usual_folder(), Ports.free())
    with running(place) as supervisor:
        print("ready", flush=True)
        supervisor.tend_until(lambda: False)
    return 0


def manage(words: Sequence[str]) -> int:
    place = Place(_usual_folder(), _ports_of_the_environment())
    place.prepare()
    return subprocess.run(
        [sys.executable, "manage.py", *words], env=place.environment(), check=False
    ).returncode


_ACTS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run,
    "demo": demo,
    "serve": serve,
    "manage": manage,
}


def _follow(supervisor: Supervisor, journey: subprocess.Popen[bytes]) -> int:
    try:
        supervisor.tend_until(lambda: journey.poll() is not None)
        return journey.wait()
    finally:
        processes.stop(journey, within=2)


def _journey(place: Place, act: str) -> subprocess.Popen[bytes]:
    """The demo's journey, a client like any other: it has the addresses and the sign-ins, and no database."""
    command = [sys.executable, "-m", "portal.demo", act, str(place.data)]
    return processes.start(command, environment=os.environ, output=None, cwd=ROOT)


def _usual_folder() -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / "data").resolve()


def _ports_of_the_environment() -> Ports:
    named = os.environ.get("PORTS", "")
    return Ports(*(int(port) for port in named.split(","))) if named else Ports()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
