"""The folders that a destination names and Clio does not have yet: found or made, each exactly once.

Clio takes equal names and has no idempotency key, and a folder is seen at once. So a folder that is needed
has a row (`NewFolder`), one for a name in a place of an account, which whoever makes it claims:

1. Only who holds the row asks Clio, and looks first: a folder of that name is used, not made.
2. The intent stands in the row before the request leaves. A row found with an intent and no folder waits
   until that request must be over, and then looks again. Looking is listing by parent; the search lags.
3. The folder is recorded under the claim's fence. What was recorded is looked at again when Clio says 404.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from clio_sync import folders, timing
from clio_sync.api import errors
from clio_sync.api.errors import ClioError
from clio_sync.api.wire import Parent, ParentType
from clio_sync.claims import LostClaim, renew, worker
from clio_sync.clock import database_now
from clio_sync.crashpoints import crashpoint
from clio_sync.filing.work import CalledBack, NotYet, Stopped, Work
from clio_sync.limits import Priority
from clio_sync.models import NewFolder
from clio_sync.problems import Problem
from clio_sync.retry import Call
from portal import gate
from portal.audit.events import Event
from portal.audit.log import Subject, record

LOOK_AGAIN: Final = timedelta(seconds=2)
"""Least time until one who waits for another's folder looks again; it grows with the other's."""


def parent_for(work: Work) -> Parent:
    """Where the reservation goes. Makes folders only when the destination names new ones."""
    place = work.destination
    if place.document_id is None and place.new_folders:
        return Parent.folder(folder_for(work))
    return Parent(ParentType(place.parent_type), place.parent_id)


def folder_for(work: Work) -> int:
    """The folder at the end of the destination's path, which is made as far as it is missing.

    Raises NotYet while another worker makes one of them, or an answer about one is lost.
    """
    try:
        return _folder_for(work)
    except errors.NotFound:
        if not forget(work):
            raise
        return _folder_for(work)


def forget(work: Work) -> bool:
    """Clio does not know the folder any more: look again for all of the path, once in each claim."""
    known = [row.pk for row in _remembered(work)]
    if work.looked_again or not known:
        return False
    work.looked_again = True
    return bool(NewFolder.objects.filter(pk__in=known).update(folder_id=None, intent_at=None))


def _folder_for(work: Work) -> int:
    parent = _start(work)
    for name in work.destination.new_folders:
        parent = Parent.folder(_below(work, parent, name))
    return parent.id


def _start(work: Work) -> Parent:
    place = work.destination
    return Parent.folder(place.folder_id) if place.folder_id else Parent.matter(place.matter_id)


def _remembered(work: Work) -> Iterator[NewFolder]:
    """The rows of the path, as far as they have their folders."""
    parent = _start(work)
    for name in work.destination.new_folders:
        row = NewFolder.objects.filter(**_key(work, parent, name), folder_id__isnull=False).first()
        if row is None or row.folder_id is None:
            return
        yield row
        parent = Parent.folder(row.folder_id)


def _below(work: Work, parent: Parent, name: str) -> int:
    row = _row(work, parent, name)
    if row.folder_id is not None:
        return row.folder_id
    claimed = _claim(row)
    if claimed.folder_id is not None:
        return claimed.folder_id
    try:
        return _find_or_make(work, claimed, parent)
    except ClioError as error:
        _let_go(claimed, **({} if error.ambiguous else {"intent_at": None}))
        raise
    except CalledBack:  # before the request left
        _let_go(claimed, intent_at=None)
        raise
    except (NotYet, Stopped):
        _let_go(claimed)
        raise


def _find_or_make(work: Work, row: NewFolder, parent: Parent) -> int:
    if row.intent_at is not None and database_now() < row.intent_at + timing.QUIESCE:
        raise NotYet(Problem.LOST_ANSWER, until=row.intent_at + timing.QUIESCE)
    found = _find(work, row.name, parent)
    if found is not None:
        _keep(work, row, found.id, Event.FOLDER_FOUND)
        return found.id
    return _make(work, row, parent)


@dataclass(frozen=True)
class _Found:
    id: int
    own_name: str


def _find(work: Work, name: str, parent: Parent) -> _Found | None:
    """The folder of that name, from a list that Clio makes by parent."""
    crashpoint("F01")
    folder_id = parent.id if parent.type is ParentType.FOLDER else _root_of(work, parent.id)
    work.take_turn(Call.PLACE, Priority.RESERVE)
    here = [_Found(one.id, one.name) for one in work.clio.folders(parent_id=folder_id, limit=200)]
    crashpoint("F02")
    return folders.called(name, here)


def _root_of(work: Work, matter_id: int) -> int:
    """The folder in Clio that stands for the matter itself."""
    crashpoint("F01")
    work.take_turn(Call.PLACE, Priority.RESERVE)
    root = work.clio.matter(matter_id).folder_id
    crashpoint("F02")
    if root is None:
        raise Stopped(Problem.PLACE_NOT_FOUND)
    return root


def _make(work: Work, row: NewFolder, parent: Parent) -> int:
    work.take_turn(Call.MAKE_FOLDER, Priority.RESERVE)
    crashpoint("F03")
    with transaction.atomic():
        _write(row, intent_at=database_now(), lease_until=database_now() + timing.LEASE)
        # From here on there may be something in Clio that an undo could not promise away.
        renew(work.delivery, first_call_at=work.delivery.first_call_at or database_now())
        _tell(work, row, Event.FOLDER_CREATE_STARTED)
    if gate.advance():
        raise LostClaim  # the database was exchanged under this worker's hands
    crashpoint("F05")
    with work.also_before_call(partial(_hold, row)):
        made = work.clio.create_folder(row.name, parent=parent)
    crashpoint("F06")
    _keep(work, row, made.id, Event.FOLDER_CREATED)
    return made.id


def _hold(row: NewFolder) -> None:
    """Right before the request leaves: the row is still ours, and the time of the intent is now."""
    _write(row, intent_at=database_now(), lease_until=database_now() + timing.LEASE)


def _keep(work: Work, row: NewFolder, folder_id: int, event: Event) -> None:
    with transaction.atomic():
        _write(row, folder_id=folder_id, intent_at=None, lease_until=None)
        _tell(work, row, event, clio_folder=folder_id)
    crashpoint("F07")


def _tell(work: Work, row: NewFolder, event: Event, **facts: Any) -> None:
    record(
        event,
        actor=worker(work.delivery),
        subject=Subject("folder", row.pk),
        corr=work.approval.draft_ref,
        texts={"name": row.name},
        approval=work.approval.pk,
        connection=work.delivery.connection_id,
        matter=work.destination.matter_id,
        clio_parent=row.parent_id,
        **facts,
    )


# The row and its claim


def _key(work: Work, parent: Parent, name: str) -> dict[str, Any]:
    connection = work.delivery.connection
    return {
        "region": connection.region,
        "account_id": connection.account_id,
        "parent_type": parent.type.value,
        "parent_id": parent.id,
        "same_name": folders.same(name),
    }


def _row(work: Work, parent: Parent, name: str) -> NewFolder:
    row, _ = NewFolder.objects.get_or_create(**_key(work, parent, name), defaults={"name": name})
    return row


def _claim(row: NewFolder) -> NewFolder:
    """Take the row, or find that it has its folder meanwhile. Raises NotYet while somebody else has it."""
    now = database_now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    taken = NewFolder.objects.filter(free, pk=row.pk, folder_id=None).update(
        fence=F("fence") + 1, lease_until=now + timing.LEASE
    )
    row.refresh_from_db()
    if not taken and row.folder_id is None:
        raise NotYet(Problem.FOLDER_UNDER_WAY, until=_when_to_look(row, now))
    return row


def _when_to_look(row: NewFolder, now: datetime) -> datetime:
    held_for = now - (row.lease_until - timing.LEASE) if row.lease_until else timedelta()
    return now + max(LOOK_AGAIN, held_for)


def _let_go(row: NewFolder, **changes: Any) -> None:
    NewFolder.objects.filter(pk=row.pk, fence=row.fence).update(lease_until=None, **changes)


def _write(row: NewFolder, **changes: Any) -> None:
    if not NewFolder.objects.filter(pk=row.pk, fence=row.fence, folder_id=None).update(**changes):
        raise LostClaim
    for name, value in changes.items():
        setattr(row, name, value)
