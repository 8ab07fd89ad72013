"""Named places where a worker may die. In production each is a call that does nothing.

The names are those of docs/reliability.md. A test, or a harness in another process, puts something else into
`on_point`: an exception, a signal, a pause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

POINTS: Final = {
    "C01": "the approval is about to commit",
    "C02": "committed, before the bell rings",
    "C04": "claimed, before the intent to reserve is recorded",
    "C05": "the intent is recorded, before the reservation is sent",
    "C06": "the reservation may have been made, its answer is not known",
    "C07": "the reservation's answer is read, before it is recorded",
    "C09": "the reservation is recorded, before the transfer",
    "C10": "in the middle of the transfer",
    "C11": "the transfer's answer is read, before it is recorded",
    "C12": "storage refused the signed address",
    "C13": "the transfer is recorded, before the intent to confirm",
    "C14": "the confirmation may have been carried out, its answer is not known",
    "C15": "the confirmation's answer is read, before it is recorded",
    "C16": "Clio says that it was confirmed before",
    "C17": "Clio is still looking for the bytes",
    "C18": "Clio did not find the bytes",
    "C19": "filed, before the message is acknowledged",
    "C21": "the intent to confirm is recorded, before the confirmation is sent",
    "C28": "on the way to taking an unfinished reservation back",
}


def nothing(name: str) -> None:
    """What happens at every point of a worker that nobody is testing."""


on_point: Callable[[str], None] = nothing


def crashpoint(name: str) -> None:
    assert name in POINTS, name  # noqa: S101 - a misspelt point would never be tested
    on_point(name)
