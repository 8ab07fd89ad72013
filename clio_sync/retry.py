"""What to do about an error: pure, from the error, the call that met it, and how often it went wrong before.

The answer has three parts: what keeps the delivery (time, the limit, the connection, a person), in which
state it resumes, and the problem to show. Where it resumes is what keeps filing exact: a write that may have
happened stays in the state that looks before it repeats.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from clio_sync.api import errors
from clio_sync.api.errors import ClioError
from clio_sync.models import Delivery
from clio_sync.problems import Problem

State, Hold = Delivery.State, Delivery.Hold

FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 300.0
MOST_ATTEMPTS: Final = 12
MOST_IN_AN_OUTAGE: Final = 100
"""When Clio itself is away, no person can help: about eight hours of trying at the longest pause."""
MOST_DENIALS: Final = 4


class Call(StrEnum):
    """What the delivery was doing when the error came."""

    NOTHING = "nothing"
    PLACE = "place"  # looking for the folders of a destination
    MAKE_FOLDER = "make_folder"
    RESERVE = "reserve"
    FIND = "find"  # the search for a reservation whose answer was lost
    RENEW = "renew"  # asking for a fresh address to send the bytes to
    TRANSFER = "transfer"
    CONFIRM = "confirm"
    READ_BACK = "read_back"  # asking whether a confirmation was carried out
    ABANDON = "abandon"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a decision depends on besides the error."""

    state: Delivery.State
    call: Call
    attempts: int = 0  # that went wrong before this one
    problem: str = ""  # of the attempt before, if nothing has gone well since
    can_abandon: bool = True


@dataclass(frozen=True, kw_only=True)
class Decision:
    hold: Delivery.Hold
    state: Delivery.State
    problem: Problem
    wait: float = 0.0
    is_attempt: bool = True
    needs_fresh_address: bool = False


def decide(error: ClioError, standing: Standing) -> Decision:
    """The one answer to an error of the client."""
    state = resumes_in(error, standing)
    problem = problem_of(error, standing.call)
    if isinstance(error, errors.NeedsReconnect):
        return Decision(hold=Hold.CONNECTION, state=state, problem=problem, is_attempt=False)
    if isinstance(error, errors.RateLimited):
        wait = error.retry_after if error.retry_after is not None else FIRST_PAUSE
        return Decision(hold=Hold.LIMIT, state=state, problem=problem, wait=wait, is_attempt=False)
    if isinstance(error, errors.StorageDenied) and standing.call is Call.TRANSFER:
        return _denied(standing)
    if standing.attempts + 1 >= most_attempts(error) or not is_worth_another_try(error):
        return Decision(hold=Hold.PERSON, state=state, problem=problem)
    return Decision(
        hold=Hold.RETRY,
        state=state,
        problem=problem,
        wait=pause(standing.attempts, asked=error.retry_after),
        needs_fresh_address=isinstance(error, errors.StorageExpired),
    )


def resumes_in(error: ClioError, standing: Standing) -> Delivery.State:
    """The state that knows what to do next: the same, unless its write is known not to have happened."""
    match standing.call, standing.state:
        case Call.RESERVE, State.RESERVING if not error.ambiguous:
            return State.QUEUED
        case Call.CONFIRM, State.CONFIRMING if isinstance(error, errors.UploadNotFound):
            return State.RESERVED
        case Call.CONFIRM, State.CONFIRMING if not (error.ambiguous or isinstance(error, _LOOK_FIRST)):
            return State.TRANSFERRED
        case _:
            return standing.state


def is_worth_another_try(error: ClioError) -> bool:
    """Whether the same request may go better later, without a person."""
    return isinstance(error, _PASSING)


def most_attempts(error: ClioError) -> int:
    return MOST_IN_AN_OUTAGE if isinstance(error, _OUTAGE) else MOST_ATTEMPTS


def pause(attempts: int, *, asked: float | None = None) -> float:
    """Seconds until the next attempt: doubling, capped, jittered; never less than Clio asked for."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts, 16))
    return max(random.uniform(longest / 2, longest), asked or 0.0)


def problem_of(error: ClioError, call: Call) -> Problem:
    if call in _MAKES and error.ambiguous:
        return Problem.LOST_ANSWER
    if call in (*_MAKES, Call.PLACE, Call.FIND) and isinstance(error, errors.NotFound):
        return Problem.PLACE_NOT_FOUND
    if call in _MAKES and isinstance(error, errors.Invalid):
        return Problem.PLACE_REFUSED
    return next(problem for kind, problem in _PROBLEMS if isinstance(error, kind))


def _denied(standing: Standing) -> Decision:
    """A fresh address first, then a fresh reservation, then a person.

    Storage says 403 to a signature that expired a moment ago by its clock as much as to one it never liked.
    """
    again = standing.problem == Problem.STORAGE_DENIED
    if standing.attempts + 1 >= MOST_DENIALS or (again and not standing.can_abandon):
        return Decision(hold=Hold.PERSON, state=State.RESERVED, problem=Problem.STORAGE_DENIED)
    return Decision(
        hold=Hold.RETRY,
        state=State.ABANDONING if again else State.RESERVED,
        problem=Problem.STORAGE_DENIED,
        wait=pause(standing.attempts),
        needs_fresh_address=True,
    )


_MAKES: Final = (Call.MAKE_FOLDER, Call.RESERVE)

_LOOK_FIRST: Final = (errors.UploadTimeout, errors.AlreadyUploaded)

_PASSING: Final = (
    errors.RetryLater,
    errors.ClioSurprised,
    errors.Conflict,
    errors.UploadNotFound,
    errors.AlreadyUploaded,
    errors.StorageExpired,
    errors.StorageBadDigest,
)

_OUTAGE: Final = (errors.Unreachable, errors.ServerTrouble, errors.StorageTrouble, errors.StorageUnreachable)

# The first kind that fits counts: the narrower ones stand before the wider.
_PROBLEMS: Final[tuple[tuple[type[ClioError], Problem], ...]] = (
    (errors.StorageAddressRefused, Problem.STORAGE_ADDRESS),
    (errors.StorageExpired, Problem.STORAGE_EXPIRED),
    (errors.StorageDenied, Problem.STORAGE_DENIED),
    (errors.BytesChanged, Problem.BYTES_CHANGED),
    (errors.StorageError, Problem.STORAGE_TROUBLE),
    (errors.Resting, Problem.RESTING),
    (errors.RateLimited, Problem.LIMIT),
    (errors.UploadTimeout, Problem.NOT_VERIFIED),
    (errors.ServerTrouble, Problem.CLIO_TROUBLE),
    (errors.Unreachable, Problem.UNREACHABLE),
    (errors.RetryLater, Problem.CLIO_TROUBLE),
    (errors.NeedsReconnect, Problem.CONNECTION),
    (errors.Forbidden, Problem.FORBIDDEN),
    (errors.NotFound, Problem.RESERVATION_GONE),
    (errors.Conflict, Problem.BUSY),
    (errors.VersionGone, Problem.UPGRADE_NEEDED),
    (errors.UploadNotFound, Problem.BYTES_NOT_FOUND),
    (errors.AlreadyUploaded, Problem.LOST_ANSWER),
    (errors.AppRejected, Problem.APP_REJECTED),
    (errors.AddressRefused, Problem.ADDRESS_REFUSED),
    (errors.Refused, Problem.REFUSED),
    (errors.ClioSurprised, Problem.SURPRISED),
    (ClioError, Problem.REFUSED),
)
