"""Threads that carry parts of one file to storage, several at a time. None of them touches the database."""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, Self

from clio_sync.api.client import ClioClient
from clio_sync.api.errors import StorageError
from clio_sync.api.secret import Secret
from clio_sync.api.storage import TransferResult
from clio_sync.models import DeliveryPart

HANDS: Final = 4
"""Parts on their way at once, each over a connection of its own."""
TICK: Final = 0.5
"""Seconds after which the claim is looked after, though nothing has arrived."""
SLOWEST: Final = 50_000
"""Bytes a second below which a transfer is given up and begun again."""
LEAST_SECONDS: Final = 120.0


class Slice:
    """Some bytes of an open file. Any number of them may be read at once: none moves the file."""

    def __init__(self, descriptor: int, *, offset: int, length: int) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._left = length

    def read(self, size: int, /) -> bytes:
        chunk = os.pread(self._descriptor, min(size, self._left), self._offset)
        self._offset += len(chunk)
        self._left -= len(chunk)
        return chunk


@dataclass
class Load:
    """A part on its way, and how much of it has left."""

    part: DeliveryPart
    sent: int = 0


class Crew:
    """Sends parts of the file behind `descriptor`. Leaving by an exception stops what is under way."""

    def __init__(self, clio: ClioClient, descriptor: int) -> None:
        self._clio = clio
        self._descriptor = descriptor
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="part")
        self._under_way: dict[Future[TransferResult], Load] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._stop.set()
        self._pool.shutdown()

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way)

    @property
    def has_room(self) -> bool:
        return len(self._under_way) < HANDS

    @property
    def bytes_under_way(self) -> int:
        return sum(load.sent for load in self._under_way.values())

    def send(self, part: DeliveryPart, put_url: Secret) -> None:
        """Begin to send it. Its bytes are hashed as they leave: others than were announced stay here."""
        load = Load(part)
        self._under_way[self._pool.submit(self._carry, load, put_url)] = load

    def arrivals(self) -> list[tuple[DeliveryPart, TransferResult | StorageError]]:
        """What has arrived or gone wrong, after a moment at most."""
        over, _ = wait(self._under_way, timeout=TICK, return_when=FIRST_COMPLETED)
        return [(self._under_way.pop(future).part, _outcome(future)) for future in over]

    def _carry(self, load: Load, put_url: Secret) -> TransferResult:
        part = load.part

        def on_progress(sent: int) -> bool:
            load.sent = sent
            return not self._stop.is_set()

        return self._clio.transfer(
            put_url,
            tuple((name, value) for name, value in part.put_headers),
            Slice(self._descriptor, offset=part.offset, length=part.length),
            size=part.length,
            sha256=part.sha256,
            on_progress=on_progress,
            seconds=max(LEAST_SECONDS, part.length * HANDS / SLOWEST),
        )


def _outcome(future: Future[TransferResult]) -> TransferResult | StorageError:
    try:
        return future.result()
    except StorageError as error:
        return error
