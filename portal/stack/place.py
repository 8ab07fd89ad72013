"""Where one portal lives: its folder, its addresses, and the environment its parts read."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal.stack.keys import local_keys
from portal.stack.ports import HOST, Ports

# Names apart from the sandbox's 127.0.0.1: browsers share cookies between the ports of one host.
WEB_HOST = "localhost"


@dataclass(frozen=True)
class Person:
    """A demo person and how to sign in as them."""

    email: str
    name: str
    roles: list[str]
    password: str


@dataclass(frozen=True)
class Place:
    data: Path
    ports: Ports

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def site(self) -> str:
        return f"http://{WEB_HOST}:{self.ports.web}"

    @property
    def sandbox(self) -> str:
        return f"http://{HOST}:{self.ports.sandbox_api}"

    @property
    def sandbox_storage(self) -> str:
        return f"http://{HOST}:{self.ports.sandbox_storage}"

    @property
    def sandbox_control(self) -> str:
        return f"http://{HOST}:{self.ports.sandbox_control}"

    @property
    def has_demo_drafts(self) -> bool:
        return (self.data / "demo-drafts").exists()

    @classmethod
    def published(cls, data: Path) -> Self:
        """The place whose parts run with this folder."""
        return cls(data, Ports(**json.loads((data / "ports.json").read_text(encoding="utf-8"))))

    def publish(self) -> None:
        (self.data / "ports.json").write_text(json.dumps(dataclasses.asdict(self.ports)), encoding="utf-8")

    @property
    def has_demo_key(self) -> bool:
        return (self.data / "demo-key").exists()

    def demo_key(self) -> str:
        """The API key of the demo's drafting program."""
        return (self.data / "demo-key").read_text(encoding="utf-8")

    def keep_demo_key(self, key: str) -> None:
        (self.data / "demo-key").write_text(key, encoding="utf-8")

    def note_demo_drafts(self) -> None:
        (self.data / "demo-drafts").touch()

    def people(self) -> list[Person]:
        """The demo people, as `portal.stack.prepare` noted them down."""
        noted = json.loads((self.data / "people.json").read_text(encoding="utf-8"))
        return [Person(**fields) for fields in noted]

    def person(self, name: str) -> Person:
        """The demo person of this first name, in lower case."""
        return next(person for person in self.people() if person.email.startswith(f"{name}@"))

    def prepare(self) -> None:
        for folder in (self.data, self.logs, self.data / "sandbox"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data.chmod(0o700)

    def environment(self) -> dict[str, str]:
        """What every part reads. DATABASE_URL, CELERY_BROKER_URL and the like pass through from ours."""
        return {
            **_without(os.environ, "DEBUG", "SECRET_KEY_FILE", "TOKEN_KEYS_FILE"),
            **local_keys(self.data),
            "DATA_DIR": str(self.data),
            "SITE_URL": self.site,
            "ALLOWED_HOSTS": f"{WEB_HOST},{HOST}",
            "CLIO_SANDBOX_URL": self.sandbox,
            "CLIO_SANDBOX_STORAGE_URL": self.sandbox_storage,
            "CLIO_SANDBOX_CLIENT_ID": "sandbox-app",
            "CLIO_SANDBOX_CLIENT_SECRET": "sandbox-secret",
            "LOG_LEVEL": "INFO",  # the supervisor reads in its log that the worker is ready
            "PYTHONUNBUFFERED": "1",
        }

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one supervisor; raises PlaceTaken when another has it."""
        with (self.data / ".running").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlaceTaken(self.data) from None
            yield


class PlaceTaken(Exception):
    """Another supervisor runs with this folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"Countersign already runs with the folder {data}. Stop it, or set DATA_DIR to another folder."
        )


def _without(environment: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in names}
