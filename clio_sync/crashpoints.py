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
    "C03": "the broker has the message, which nobody may ever hear",
    "C04": "claimed, before the intent to reserve is recorded",
    "C05": "the intent is recorded, before the reservation is sent",
    "C06": "the reservation may have been made, its answer is not known",
    "C07": "the reservation's answer is read, before it is recorded",
    "C08": "the reservation was answered with something that cannot be read",
    "C09": "the reservation is recorded, right before the transfer",
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
    "C20": "the claim is still ours, right before the reservation is sent",
    "C21": "the claim is still ours, right before the confirmation is sent",
    "C22": "somebody changed it at Clio: trashed, moved, closed, or no longer allowed",
    "C23": "a step is committed, which a standby database may never have heard of",
    "C24": "about to claim; the database may be one restored from a backup",
    "C25": "Clio rejected the token, before it is renewed",
    "C26": "Clio asked to slow down, before that is recorded",
    "C27": "about to write a step, which the database may refuse",
    "C28": "on the way to taking an unfinished reservation back",
    "D01": "about to remove the unfinished document",
    "D02": "it was removed, before that is recorded",
    "F01": "about to look which folders Clio holds",
    "F02": "Clio has shown its folders, before anything is recorded",
    "F03": "a folder is missing, before the intent to make it is recorded",
    "F04": "the claim on the folder is still ours, right before the request is sent",
    "F05": "the intent to make a folder is recorded, before the request is sent",
    "F06": "the new folder's answer is read, before it is recorded",
    "F07": "the folder is recorded, before anything is filed in it",
    "F08": "the folder may have been made, its answer is not known",
    "L01": "about to look what Clio holds",
    "L02": "Clio has shown what it holds, before anything is recorded",
}


def nothing(name: str) -> None:
    """What happens at every point of a worker that nobody is testing."""


on_point: Callable[[str], None] = nothing


def crashpoint(name: str) -> None:
    assert name in POINTS, name  # noqa: S101 - a misspelt point would never be tested
    on_point(name)
