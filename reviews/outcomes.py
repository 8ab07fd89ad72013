"""Telling submitters what became of their drafts, and hearing from the deliveries how they ended.

Nothing calls back: every few seconds this looks for drafts with news that nobody told yet.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clio_sync.models import Delivery
from portal.audit.events import Event
from portal.audit.log import Actor, record
from reviews import actions, letters
from reviews.models import UNTOLD, Draft, Status

BATCH = 200
WORKER = "outcomes"

NEWS = Q(status__in=[Status.RETURNED, Status.REJECTED]) | Q(
    status=Status.APPROVED, delivery__done_at__isnull=False
)


def hear() -> None:
    """Tell what is new, and put drafts whose filing was withdrawn back into review."""
    untold = Draft.objects.filter(UNTOLD, NEWS).select_related("submitter", "delivery__approval")
    for draft in untold[:BATCH]:
        if _was_taken_back(draft):
            actions.filing_withdrawn(draft.pk, actor=Actor.worker(WORKER))
        elif _mark_told(draft):
            letters.tell_submitter(draft)


def _was_taken_back(draft: Draft) -> bool:
    return draft.delivery is not None and draft.delivery.state == Delivery.State.WITHDRAWN


@transaction.atomic
def _mark_told(draft: Draft) -> bool:
    """Only one of two workers gets a yes. A crash right after it costs one mail and nothing else."""
    same = Draft.objects.filter(pk=draft.pk, revision=draft.revision, outcome_told_at=None)
    if not same.update(outcome_told_at=timezone.now()):
        return False
    if draft.status == Status.APPROVED and draft.delivery is not None:
        approval = draft.delivery.approval
        record(
            Event.DELIVERY_OUTCOME_TOLD,
            actor=Actor.worker(WORKER, on_behalf_of=approval.approved_by_id),
            subject=actions.subject(draft),
            corr=draft.pk,
            approval=approval.pk,
            draft=draft.pk,
            result="filed",
            told=draft.submitter_id,
            channel="mail",
        )
    return True
