from __future__ import annotations

import inspect
from typing import Any

import pytest

from clio_sync import retry
from clio_sync.api import errors
from clio_sync.api.errors import ClioError
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call, Decision, Standing

State, Hold = Delivery.State, Delivery.Hold

STANDS = {
    Call.NOTHING: State.CONFIRMING,
    Call.PLACE: State.QUEUED,
    Call.MAKE_FOLDER: State.QUEUED,
    Call.RESERVE: State.RESERVING,
    Call.FIND: State.RESERVING,
    Call.RENEW: State.RESERVED,
    Call.TRANSFER: State.RESERVED,
    Call.CONFIRM: State.CONFIRMING,
    Call.READ_BACK: State.CONFIRMING,
    Call.ABANDON: State.ABANDONING,
}
EVERY_ERROR = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ClioError) and kind is not errors.ClioSurprised
]


def decided(error: ClioError, call: Call, **standing: Any) -> Decision:
    return retry.decide(error, Standing(state=standing.pop("state", STANDS[call]), call=call, **standing))


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("ambiguous", [False, True])
def test_every_error_of_every_call_has_an_answer(kind: type[ClioError], call: Call, ambiguous: bool) -> None:
    decision = decided(kind(ambiguous=ambiguous), call)
    assert decision.hold != Hold.NONE
    assert decision.state in Delivery.RUNNING
    assert decision.problem in Problem


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_what_may_have_happened_is_always_looked_at_before_it_is_repeated(kind: type[ClioError]) -> None:
    assert decided(kind(ambiguous=True), Call.RESERVE).state == State.RESERVING
    confirm = decided(kind(ambiguous=True), Call.CONFIRM).state
    assert confirm == (State.RESERVED if kind is errors.UploadNotFound else State.CONFIRMING)


def test_an_answer_that_cannot_be_read_is_ambiguous_for_a_write() -> None:
    surprise = errors.ClioSurprised("data.id", "is missing", ambiguous=True)
    assert decided(surprise, Call.RESERVE).state == State.RESERVING
    assert decided(surprise, Call.CONFIRM).state == State.CONFIRMING


@pytest.mark.parametrize(
    ("error", "call", "state"),
    [
        (errors.Unreachable(), Call.RESERVE, State.QUEUED),
        (errors.Forbidden(), Call.RESERVE, State.QUEUED),
        (errors.RateLimited(), Call.RESERVE, State.QUEUED),
        (errors.TokenRejected(), Call.RESERVE, State.QUEUED),
        (errors.Unreachable(), Call.CONFIRM, State.TRANSFERRED),
        (errors.RateLimited(), Call.CONFIRM, State.TRANSFERRED),
        (errors.UploadNotFound(), Call.CONFIRM, State.RESERVED),
        (errors.UploadTimeout(), Call.CONFIRM, State.CONFIRMING),
        (errors.AlreadyUploaded(), Call.CONFIRM, State.CONFIRMING),
        (errors.RateLimited(), Call.READ_BACK, State.CONFIRMING),
        (errors.NotFound(), Call.READ_BACK, State.CONFIRMING),
        (errors.RateLimited(), Call.FIND, State.RESERVING),
        (errors.Conflict(), Call.ABANDON, State.ABANDONING),
        (errors.AppRejected(), Call.NOTHING, State.CONFIRMING),
    ],
)
def test_a_delivery_resumes_in_the_state_that_knows_what_to_do(
    error: ClioError, call: Call, state: str
) -> None:
    assert decided(error, call).state == state


@pytest.mark.parametrize("before", [State.QUEUED, State.TRANSFERRED])
def test_a_turn_refused_before_the_intent_changes_nothing(before: Delivery.State) -> None:
    call = Call.RESERVE if before == State.QUEUED else Call.CONFIRM
    assert decided(errors.RateLimited(), call, state=before).state == before


def test_pauses_double_up_to_five_minutes_with_jitter() -> None:
    for attempts in range(20):
        longest = min(300.0, 2.0 * 2**attempts)
        assert longest / 2 <= retry.pause(attempts) <= longest


def test_clio_is_never_asked_again_before_it_said() -> None:
    assert decided(errors.ServerTrouble(retry_after=77.0), Call.RENEW).wait >= 77
    assert decided(errors.RateLimited(retry_after=77.0), Call.RENEW).wait == 77


def test_waiting_for_the_limit_or_the_connection_is_no_attempt() -> None:
    assert not decided(errors.RateLimited(), Call.RESERVE).is_attempt
    assert not decided(errors.GrantRevoked(), Call.RESERVE).is_attempt
    assert decided(errors.GrantRevoked(), Call.RESERVE).hold == Hold.CONNECTION


def test_while_clio_rests_nothing_is_an_attempt() -> None:
    decision = decided(errors.Resting(retry_after=30.0), Call.RESERVE)
    assert (decision.hold, decision.problem, decision.wait) == (Hold.LIMIT, Problem.RESTING, 30)
    assert not decision.is_attempt


def test_after_many_attempts_a_person_is_asked() -> None:
    surprise = errors.ClioSurprised("data", "is missing")
    assert decided(surprise, Call.RENEW, attempts=10).hold == Hold.RETRY
    assert decided(surprise, Call.RENEW, attempts=11).hold == Hold.PERSON


def test_an_outage_is_sat_out_for_hours() -> None:
    assert decided(errors.ServerTrouble(), Call.RENEW, attempts=90).hold == Hold.RETRY
    assert decided(errors.ServerTrouble(), Call.RENEW, attempts=99).hold == Hold.PERSON


def test_a_denied_transfer_gets_a_fresh_address_then_a_fresh_reservation_then_a_person() -> None:
    denied = errors.StorageDenied(status=403)
    first = decided(denied, Call.TRANSFER)
    assert (first.state, first.needs_fresh_address) == (State.RESERVED, True)
    again = decided(denied, Call.TRANSFER, attempts=1, problem=Problem.STORAGE_DENIED)
    assert (again.state, again.hold) == (State.ABANDONING, Hold.RETRY)
    assert decided(denied, Call.TRANSFER, attempts=3).hold == Hold.PERSON
