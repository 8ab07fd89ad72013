"""The states of a review as a table. `advance` is the one writer of `Draft.status`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from reviews.errors import WrongState
from reviews.models import Draft, Status

EDGES: Mapping[Status, frozenset[Status]] = {
    Status.WAITING: frozenset(
        {
            Status.WAITING,  # a new version, or another destination
            Status.IN_REVIEW,
            Status.RETURNED,
            Status.REJECTED,
            Status.WITHDRAWN,
            Status.APPROVED,
        }
    ),
    Status.IN_REVIEW: frozenset(
        {
            Status.WAITING,  # released
            Status.IN_REVIEW,  # a new version, another destination, or taken over
            Status.RETURNED,
            Status.REJECTED,
            Status.WITHDRAWN,
            Status.APPROVED,
        }
    ),
    Status.RETURNED: frozenset(
        {
            Status.RETURNED,  # another destination
            Status.WAITING,
            Status.IN_REVIEW,
            Status.WITHDRAWN,
        }
    ),
    Status.APPROVED: frozenset({Status.IN_REVIEW}),  # undone, or its filing withdrawn
    Status.REJECTED: frozenset(),
    Status.WITHDRAWN: frozenset(),
}

DECIDABLE = frozenset({Status.WAITING, Status.IN_REVIEW})
OPEN = frozenset({Status.WAITING, Status.IN_REVIEW, Status.RETURNED})


def locked(draft_id: uuid.UUID) -> Draft:
    """The row, held until the caller's transaction ends. Raises Draft.DoesNotExist."""
    return Draft.objects.select_for_update().get(pk=draft_id)


def advance(draft: Draft, *, to: Status, **changes: Any) -> None:
    """Move a locked draft along an edge of the table, with the fields that change on the way."""
    here = Status(draft.status)
    if to not in EDGES[here]:
        raise WrongState(f"This draft is {here.label.lower()}; it cannot become {to.label.lower()} any more.")
    changes |= {"status": to, "revision": draft.revision + 1, "changed_at": timezone.now()}
    for name, value in changes.items():
        setattr(draft, name, value)
    draft.save(update_fields=list(changes))
