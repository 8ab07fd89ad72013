"""Taking an unfinished document back, before another attempt or because nobody wants it any more."""

from __future__ import annotations

from functools import partial
from typing import Final

from django.db.models import F

from clio_sync import retry
from clio_sync.api import errors
from clio_sync.claims import finish, move
from clio_sync.crashpoints import crashpoint
from clio_sync.filing import parts
from clio_sync.filing.work import NO_ADDRESS, Stopped, Work
from clio_sync.models import Delivery
from clio_sync.problems import Problem
from clio_sync.retry import Call
from portal.audit.events import Event

State = Delivery.State

LEFT_ALONE_AFTER: Final = 3
"""Attempts after which an unfinished document that Clio will not delete is left: nobody can see it."""


def abandon(work: Work) -> None:
    """Look at it, take it back, look again: what turns out to be finished is filed, not made anew."""
    crashpoint("C28")
    if _is_finished_after_all(work):
        return
    # A new version is left as it is, unfinished and invisible: its document was there before.
    is_new_document = work.destination.document_id is None
    was_removed = is_new_document and _remove(work)
    if is_new_document and _is_finished_after_all(work):
        return
    if work.delivery.withdrawing:
        _withdraw(work, step=State.ABANDONING, was_removed=was_removed)
    else:
        _begin_again(work, was_removed=was_removed)


def turn_back(work: Work) -> None:
    """A person called back what Clio holds unfinished."""
    work.abandon_instead("withdrawing")


def withdraw(work: Work) -> None:
    """A person called back what Clio holds nothing of."""
    _withdraw(work, step=State.QUEUED, was_removed=False)


def _is_finished_after_all(work: Work) -> bool:
    """Whether the document can be seen in Clio (not in its trash); then its way leads to filed."""
    try:
        version = work.look(Call.ABANDON)
    except (errors.NotFound, Stopped):
        return False
    if version.fully_uploaded:
        move(work.delivery, to=State.CONFIRMING)
    return version.fully_uploaded


def _remove(work: Work) -> bool:
    work.take_turn(Call.ABANDON)
    crashpoint("D01")
    try:
        work.clio.delete_document(work.document_id)
    except errors.NotFound:
        return False
    except errors.Conflict:
        if work.delivery.attempts < LEFT_ALONE_AFTER:
            raise
        return False
    crashpoint("D02")
    return True


def _withdraw(work: Work, *, step: Delivery.State, was_removed: bool) -> None:
    finish(
        work.delivery,
        to=State.WITHDRAWN,
        event=Event.DELIVERY_WITHDRAWN,
        facts={
            "step": step,
            "clio_document": work.delivery.clio_document_id,
            "removed_at_clio": was_removed,
        },
    )


def _begin_again(work: Work, *, was_removed: bool) -> None:
    move(
        work.delivery,
        to=State.QUEUED,
        event=Event.DELIVERY_ABANDONED,
        facts={
            "attempt": work.attempt,
            "clio_document": work.document_id,
            "removed_at_clio": was_removed,
        },
        also=partial(parts.keep, work.delivery, []),
        attempts=F("attempts") + 1,
        bytes_sent=None,
        clio_document_id=None,
        clio_version_uuid="",
        clio_version_number=None,
        intent_at=None,
        sha256_sent="",
        storage_etag="",
        **NO_ADDRESS,
    )
    if work.delivery.attempts >= retry.MOST_ATTEMPTS:
        raise Stopped(Problem.STORAGE_EXPIRED)
