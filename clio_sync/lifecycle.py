"""The states of a delivery as a table: every way from one to another, and what it means.

Workers move a row along these edges and no others (`claims`). A model of them, in which every two misfortunes
happen to every step, agrees with this table (tests/clio_sync/saga).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clio_sync.models import Delivery

State = Delivery.State

EDGES: Final[Mapping[Delivery.State, frozenset[Delivery.State]]] = {
    State.QUEUED: frozenset(
        {
            State.RESERVING,  # the intent is recorded
            State.WITHDRAWN,  # a person took it back
        }
    ),
    State.RESERVING: frozenset(
        {
            State.RESERVED,  # answered, or found
            State.CONFIRMING,  # found, and finished
            State.QUEUED,  # not found, refused, or never sent
        }
    ),
    State.RESERVED: frozenset(
        {
            State.TRANSFERRED,  # storage has the bytes
            State.CONFIRMING,  # Clio says that it is finished
            State.ABANDONING,  # no address, or a person took it back
        }
    ),
    State.TRANSFERRED: frozenset(
        {
            State.CONFIRMING,  # the intent is recorded
            State.ABANDONING,  # a person took it back
        }
    ),
    State.CONFIRMING: frozenset(
        {
            State.FILED,  # Clio's own word
            State.TRANSFERRED,  # read back, and not confirmed; or refused
            State.RESERVED,  # Clio did not find the bytes
        }
    ),
    State.ABANDONING: frozenset(
        {
            State.QUEUED,  # removed; another attempt
            State.CONFIRMING,  # finished after all
            State.WITHDRAWN,  # removed, and a person took it back
        }
    ),
    State.FILED: frozenset(),
    State.WITHDRAWN: frozenset(),
}


class NoSuchWay(Exception):
    """The code wanted to move a delivery where nothing leads."""


def require_way(here: str, to: str) -> None:
    """Staying is always a way. Raises NoSuchWay."""
    if here != to and to not in EDGES[State(here)]:
        raise NoSuchWay(f"{here} to {to}")


def way(here: Delivery.State, to: Delivery.State) -> list[Delivery.State]:
    """The states on the shortest way from here, `to` the last. Raises NoSuchWay."""
    reached = {here: list[Delivery.State]()}
    for state in (queue := [here]):
        for following in sorted(EDGES[state]):
            if following not in reached:
                reached[following] = [*reached[state], following]
                queue.append(following)
    if to not in reached:
        raise NoSuchWay(f"{here} to {to}")
    return reached[to]
