"""Twelve ways to file wrongly, each of which the harness has to notice. They exist in its workers alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from django.db.models import F, Q

from clio_sync import claims, filing, retry, timing, vault
from clio_sync.api import errors, storage, wire
from clio_sync.api.client import ClioClient
from clio_sync.api.presigned import PutHeaders
from clio_sync.api.secret import Secret
from clio_sync.clock import database_now
from clio_sync.filing import reserving, transferring
from clio_sync.filing.work import Work
from clio_sync.models import Delivery
from clio_sync.retry import Call, Standing
from clio_sync.vault import Binding
from portal import blobs

ACKNOWLEDGED_EARLY: Final = "acknowledged_early"
State = Delivery.State


def let_in(bug: str) -> AbstractContextManager[Any]:
    """The product with this bug, until the end of the block; as it is, without a name."""
    return _BUGS[bug]()


def _claim_without_comparing(delivery_id: UUID) -> Delivery | None:
    rows = Delivery.objects.filter(pk=delivery_id).exclude(state__in=Delivery.FINAL)
    rows.update(fence=F("fence") + 1, lease_until=database_now() + timing.LEASE, hold=Delivery.Hold.NONE)
    return rows.select_related("approval", "connection").first()


def _write_without_fence(delivery: Delivery, only_if: Q, **changes: Any) -> None:
    if not Delivery.objects.filter(only_if, pk=delivery.pk).update(**changes):
        raise claims.LostClaim
    delivery.refresh_from_db(fields=list(changes))


def _find_nothing(work: Work) -> wire.Document | None:
    return None


def _finding_the_finished(find: Callable[..., Any]) -> Callable[..., Any]:
    def find_finished(client: ClioClient, **query: Any) -> Any:
        return find(client, **query, show_uncompleted=False)

    return find_finished


def _sleeping_with_the_claim(find: Callable[[Work], None]) -> Callable[[Work], None]:
    def sleep_and_find(work: Work) -> None:
        time.sleep(timing.QUIESCE.total_seconds())
        claims.renew(work.delivery)
        find(work)

    return sleep_and_find


def _resume_at_the_start(resumes: Callable[..., State]) -> Callable[..., State]:
    def resume(error: errors.ClioError, standing: Standing) -> State:
        return State.QUEUED if standing.call is Call.RESERVE else resumes(error, standing)

    return resume


def _failing_when_confirmed_before(confirm: Callable[..., Any]) -> Callable[..., Any]:
    def confirm_or_fail(client: ClioClient, document_id: int, **more: Any) -> Any:
        try:
            return confirm(client, document_id, **more)
        except errors.AlreadyUploaded as error:
            raise errors.Invalid(status=error.status) from error

    return confirm_or_fail


@contextmanager
def _intent_after_post() -> Iterator[None]:
    record, keep = reserving._record_intent, reserving._keep

    def keep_with_intent(work: Work, reservation: wire.Reservation, *, adopted: bool) -> None:
        if not adopted:
            record(work, [])
        keep(work, reservation, adopted=adopted)

    with (
        patch.object(reserving, "_record_intent", lambda *_: None),
        patch.object(reserving, "_keep", keep_with_intent),
    ):
        yield


def _confirming_an_unsaved_id(keep: Callable[..., None]) -> Callable[..., None]:
    """All three calls in one go, whoever has the claim meanwhile; what came of them is written down last."""

    def confirm_and_keep(work: Work, reservation: wire.Reservation, *, adopted: bool) -> None:
        work.clio._before_call = None
        with blobs.open_blob(work.approval.sha256) as body:
            work.clio.transfer(
                reservation.put_url,
                reservation.put_headers,
                body,
                size=work.approval.size,
                sha256=work.approval.sha256,
            )
        work.clio.confirm_document(reservation.document_id, version_uuid=reservation.version_uuid)
        keep(work, reservation, adopted=adopted)

    return confirm_and_keep


def _without_length(exact: Callable[[PutHeaders, int], list[tuple[str, str]]]) -> Callable[..., Any]:
    def headers(put_headers: PutHeaders, size: int) -> list[tuple[str, str]]:
        return [header for header in exact(put_headers, size) if header[0].lower() != "content-length"]

    return headers


def _address_of_any_age(delivery: Delivery) -> Secret | None:
    if not delivery.put_url_sealed:
        return None
    return vault.open_sealed(delivery.put_url_sealed, binding=Binding.put_url(delivery.pk))


def _step(state: State, wrong: Callable[[Work], None]) -> AbstractContextManager[Any]:
    return patch.dict(filing._STEPS, {state: wrong})


def _client(
    name: str, wrong: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> AbstractContextManager[Any]:
    return patch.object(ClioClient, name, wrong(getattr(ClioClient, name)))


@contextmanager
def _nothing_twice() -> Iterator[None]:
    """Its messages are heard once, whatever becomes of the hearer: see `hooks`."""
    yield


_BUGS: Final[Mapping[str, Callable[[], AbstractContextManager[Any]]]] = {
    "": nullcontext,
    "no_compare_and_set": lambda: patch.object(claims, "claim", _claim_without_comparing),
    "no_fence": lambda: patch.object(claims, "_write", _write_without_fence),
    "no_search": lambda: patch.object(reserving, "_found", _find_nothing),
    "no_show_uncompleted": lambda: _client("find_documents", _finding_the_finished),
    ACKNOWLEDGED_EARLY: _nothing_twice,
    "sleep_in_lease": lambda: _step(State.RESERVING, _sleeping_with_the_claim(reserving.find)),
    "post_again_on_timeout": lambda: patch.object(
        retry, "resumes_in", _resume_at_the_start(retry.resumes_in)
    ),
    "confirmed_before_is_failure": lambda: _client("confirm_document", _failing_when_confirmed_before),
    "confirm_an_unsaved_id": lambda: patch.object(
        reserving, "_keep", _confirming_an_unsaved_id(reserving._keep)
    ),
    "chunked_transfer": lambda: patch.object(
        storage, "_exact_headers", _without_length(storage._exact_headers)
    ),
    "deadline_ignored": lambda: patch.object(transferring, "_recorded", _address_of_any_age),
    "intent_after_post": _intent_after_post,
}
NAMES: Final = tuple(name for name in _BUGS if name)
