"""How Celery reaches its broker. The broker is only a doorbell: losing it costs seconds, never a document."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

T = TypeVar("T")

FOLDER: Final = "filesystem"
LOOKS: Final = 20
BETWEEN_LOOKS: Final = 0.05


def transport_options(broker_url: str, data_dir: Path) -> dict[str, Any]:
    """kombu's options for the broker: a private folder for filesystem://, prompt redelivery for Redis."""
    if not broker_url.startswith(FOLDER):
        return {"visibility_timeout": 900, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
    queue, control = data_dir / "broker" / "queue", data_dir / "broker" / "control"
    for folder in (queue, control):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "polling_interval": 0.2,
    }


def use_whole_files() -> None:
    """Let `filesystem://` mean the transport below."""
    TRANSPORT_ALIASES[FOLDER] = f"{__name__}:FolderTransport"


class FolderChannel(filesystem.Channel):
    """A broker of files in which nobody meets a half-written one.

    kombu makes a file first and fills it then. A worker that reads it in between ends with a JSON error, and
    with it the deliveries it has in hand; a web process that does fails the request.
    """

    def _put(  # type: ignore[override]  # kombu's own differs from its base just so
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        """The message appears under its name, which orders it, when it is whole."""
        name = f"{round(time.monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        path = Path(self.data_folder_out) / name
        unfinished = path.with_name(f"{name}.unfinished")
        try:
            unfinished.write_text(dumps(payload), encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            raise ChannelError(f"Cannot add {path.name} to {path.parent}.") from error

    def get_table(self, exchange: str) -> list[Any]:
        return _whole(lambda: super(FolderChannel, self).get_table(exchange))

    def _queue_bind(self, *binding: Any) -> None:
        _whole(lambda: super(FolderChannel, self)._queue_bind(*binding))


class FolderTransport(filesystem.Transport):
    Channel = FolderChannel


def _whole(read: Callable[[], T]) -> T:
    """Look again while a table that another process begins to write is still empty."""
    for _ in range(LOOKS):
        try:
            return read()
        except ValueError:
            time.sleep(BETWEEN_LOOKS)
    return read()
