"""Which ports the parts listen on: the usual ones when they are free, others when they are not."""

from __future__ import annotations

import dataclasses
import socket
from dataclasses import dataclass
from typing import Self

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    web: int = 8000
    sandbox_api: int = 8801
    sandbox_storage: int = 8802
    sandbox_control: int = 8803

    @classmethod
    def free(cls) -> Self:
        """Four ports nobody listens on."""
        return cls(*_free_ports(len(dataclasses.fields(cls))))

    def settled(self) -> Self:
        """The same ports, each one that is taken replaced by a free one."""
        names = [field.name for field in dataclasses.fields(self)]
        taken = [name for name in names if not is_free(getattr(self, name))]
        return dataclasses.replace(self, **dict(zip(taken, _free_ports(len(taken)), strict=True)))

    def moved(self, usual: Ports) -> dict[str, tuple[int, int]]:
        """What differs from the usual ports: name -> (usual, chosen)."""
        return {
            field.name: (getattr(usual, field.name), getattr(self, field.name))
            for field in dataclasses.fields(self)
            if getattr(usual, field.name) != getattr(self, field.name)
        }


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    return _free_ports(1)[0]


def _free_ports(count: int) -> list[int]:
    """Held open together, so that no two are alike."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for held in sockets:
            held.bind((HOST, 0))
        return [held.getsockname()[1] for held in sockets]
    finally:
        for held in sockets:
            held.close()
