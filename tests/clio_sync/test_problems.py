from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from clio_sync import problems, retry
from clio_sync.api import errors
from clio_sync.api.errors import ClioError
from clio_sync.models import Connection, Delivery
from clio_sync.problems import Actor, Button, Explanation, InClio, Problem
from clio_sync.retry import Call, Standing
from portal.accounts.models import User

State, Hold = Delivery.State, Delivery.Hold

STANDS = {
    Call.NOTHING: [state for state in State if state in Delivery.RUNNING],
    Call.PLACE: [State.QUEUED],
    Call.MAKE_FOLDER: [State.QUEUED],
    Call.RESERVE: [State.QUEUED, State.RESERVING],
    Call.FIND: [State.RESERVING],
    Call.RENEW: [State.RESERVED],
    Call.TRANSFER: [State.RESERVED],
    Call.CONFIRM: [State.TRANSFERRED, State.CONFIRMING],
    Call.READ_BACK: [State.CONFIRMING],
    Call.ABANDON: [State.ABANDONING],
}
"""In which states a delivery may be while it makes each call."""

BEFORE_ANY_CONFIRMATION = {
    Call.PLACE,
    Call.MAKE_FOLDER,
    Call.RESERVE,
    Call.FIND,
    Call.RENEW,
    Call.TRANSFER,
}


def kinds(of: type[ClioError] = ClioError) -> Iterator[type[ClioError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def made(kind: type[ClioError], *, ambiguous: bool) -> ClioError:
    if issubclass(kind, errors.ClioSurprised):
        return kind("data.id", "is missing", ambiguous=ambiguous)
    return kind(ambiguous=ambiguous)


def stopped(error: ClioError, call: Call, state: str, *, attempts: int, before: str) -> Delivery:
    """A delivery as a worker sets it down after this error."""
    standing = Standing(state=State(state), call=call, attempts=attempts, problem=before)
    decision = retry.decide(error, standing)
    return Delivery(
        state=decision.state, hold=decision.hold, problem=decision.problem, connection=Connection()
    )


def is_whole(told: Explanation) -> bool:
    """One line of three sentences or more, with one button, or with the reason why there is none."""
    parts = [told.happened, told.in_clio_sentence, told.acts]
    says_why = told.who is Actor.PORTAL and "by itself" in told.acts
    return (
        all(part.endswith(".") and part[0].isupper() and part == " ".join(part.split()) for part in parts)
        and told.line == " ".join(parts)
        and len(told.line) < 400
        and bool(told.title)
        and (told.button is Button.NONE) == says_why
    )


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize("kind", dict.fromkeys(kinds()), ids=lambda kind: kind.__name__)
def test_every_error_of_every_call_becomes_one_whole_and_true_line(kind: type[ClioError], call: Call) -> None:
    befores = ("", Problem.STORAGE_DENIED)
    for ambiguous, state, attempts, before in product((False, True), STANDS[call], (0, 3, 99), befores):
        error = made(kind, ambiguous=ambiguous)
        delivery = stopped(error, call, state, attempts=attempts, before=before)
        told = problems.explain(delivery)
        assert told is not None
        assert is_whole(told), told
        known = {InClio.NOT_YET_KNOWN} if delivery.state == State.ABANDONING else set()
        assert told.in_clio in known | could_be(error, call, State(state)), (told, ambiguous, state)


def could_be(error: ClioError, call: Call, state: Delivery.State) -> set[InClio]:
    """What may truthfully be said about the document in Clio, from the protocol alone."""
    if call in BEFORE_ANY_CONFIRMATION:
        return {InClio.NO}
    if call is Call.CONFIRM and state == State.TRANSFERRED:  # nothing was sent yet
        return {InClio.NO}
    if call is Call.CONFIRM and isinstance(error, errors.UploadNotFound):
        return {InClio.NO}
    if call is Call.CONFIRM:
        unclear = error.ambiguous or isinstance(error, (errors.UploadTimeout, errors.AlreadyUploaded))
        return {InClio.NOT_YET_KNOWN} if unclear else {InClio.NO}
    if call is Call.NOTHING and state not in {State.CONFIRMING, State.ABANDONING}:
        return {InClio.NO}
    return {InClio.NOT_YET_KNOWN}


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize("hold", [Hold.PERSON, Hold.RETRY, Hold.LIMIT, Hold.CONNECTION])
def test_every_problem_is_told_whole(problem: Problem, hold: Delivery.Hold) -> None:
    row = Delivery(state=State.RESERVED, hold=hold, problem=problem, connection=Connection())
    told = problems.explain(row)
    assert told is not None
    assert is_whole(told), told


@pytest.mark.parametrize(
    ("problem", "button"),
    [
        (Problem.PLACE_NOT_FOUND, Button.CHOOSE),
        (Problem.PLACE_REFUSED, Button.CHOOSE),
        (Problem.RESERVATION_GONE, Button.CANCEL),
        (Problem.REFUSED, Button.RETRY),
        (Problem.LIMIT, Button.NONE),
    ],
)
def test_the_button_is_the_one_that_helps(problem: Problem, button: Button) -> None:
    told = problems.explain(Delivery(state=State.QUEUED, hold=Hold.PERSON, problem=problem))
    assert told is not None
    assert told.button is button


def test_what_the_portal_tries_again_by_itself_asks_nobody_for_anything() -> None:
    told = problems.explain(Delivery(state=State.RESERVED, hold=Hold.RETRY, problem=Problem.CLIO_TROUBLE))
    assert told is not None
    assert "again by itself" in told.acts
    assert (told.who, told.button) == (Actor.PORTAL, Button.NONE)


def test_a_delivery_that_waits_for_its_connection_says_so_whatever_went_wrong_before() -> None:
    row = Delivery(
        state=State.QUEUED, hold=Hold.CONNECTION, problem=Problem.CLIO_TROUBLE, connection=Connection()
    )
    told = problems.explain(row)
    assert told is not None
    assert (told.code, told.who, told.button) == (Problem.CONNECTION, Actor.ADMIN, Button.RECONNECT)


def test_a_lawyers_own_connection_is_that_lawyers_turn() -> None:
    own = Connection(owner=User(pk=7, full_name="Bob"))
    told = problems.explain(Delivery(state=State.QUEUED, hold=Hold.CONNECTION, connection=own))
    assert told is not None
    assert (told.who, told.button) == (Actor.OWNER, Button.RECONNECT)


@pytest.mark.parametrize(
    ("problem", "known", "says"),
    [
        (Problem.IN_TRASH, InClio.NO, "trash"),
        (Problem.CONTENT_DIFFERS, InClio.YES, "not the approved one"),
        (Problem.SIZE_DIFFERS, InClio.YES, "not the approved one"),
        (Problem.TWO_FOUND, InClio.YES, "more than once"),
    ],
)
def test_what_was_seen_in_clio_is_said_as_it_was_seen(problem: Problem, known: InClio, says: str) -> None:
    told = problems.explain(Delivery(state=State.CONFIRMING, hold=Hold.PERSON, problem=problem))
    assert told is not None
    assert told.in_clio is known
    assert says in told.in_clio_sentence


BUTTONS = {
    Button.NONE: "none",
    Button.RETRY: "Try again",
    Button.CHOOSE: "Choose another folder",
    Button.RECONNECT: "Reconnect",
    Button.CANCEL: "Stop filing",
}


def test_the_documentation_lists_every_problem_as_it_is_told() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = text.partition("| Code | What happened |")[2].partition("\n\n")[0].splitlines()[2:]
    entries = problems.CATALOGUE.items()
    assert table == [
        f"| `{problem}` | {entry.happened} | {entry.acts} | {BUTTONS[entry.button]} |"
        for problem, entry in entries
    ]


def test_a_delivery_without_a_problem_has_nothing_to_explain() -> None:
    assert problems.explain(Delivery()) is None
