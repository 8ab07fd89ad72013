from __future__ import annotations

import pytest
from django.utils import timezone

from clio_sync.models import Delivery
from clio_sync.receipts import NotFiled, clio_url, receipt
from tests import factories
from tests.cast import Cast

State = Delivery.State


@pytest.fixture
def delivery(cast: Cast) -> Delivery:
    link = factories.connection(connected_by=cast.dana)
    draft = factories.draft(submitter=cast.carol, place=factories.destination(link))
    return factories.approved(draft, by=cast.alice)


def filed(delivery: Delivery, **fields: object) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(
        **{
            "state": State.FILED,
            "clio_document_id": 77,
            "sha256_sent": delivery.approval.sha256,
            "size_confirmed": delivery.approval.size,
            "done_at": timezone.now(),
            **fields,
        }
    )
    delivery.refresh_from_db()
    return delivery


def test_there_is_no_receipt_before_clio_has_confirmed(delivery: Delivery) -> None:
    for state in State:
        if state != State.FILED:
            with pytest.raises(NotFiled):
                receipt(Delivery(state=state, approval=delivery.approval, clio_document_id=77))


def test_a_lawyers_own_connection_is_named_as_such(cast: Cast) -> None:
    own = factories.connection(connected_by=cast.alice, owner=cast.alice, clio_user_name="Alice at Clio")
    draft = factories.draft(submitter=cast.carol, place=factories.destination(own))
    proof = receipt(filed(factories.approved(draft, by=cast.alice)))
    assert (proof.filed_as.user_name, proof.filed_as.is_own) == ("Alice at Clio", True)


def test_the_etag_of_parts_is_not_taken_for_a_checksum(delivery: Delivery) -> None:
    assert receipt(filed(delivery, storage_etag="a" * 32)).storage_vouches
    delivery.storage_etag = f"{'a' * 32}-7"
    assert not receipt(delivery).storage_vouches


@pytest.mark.parametrize(
    ("region", "address"),
    [("us", "https://app.clio.com/nc/#/documents/77"), ("eu", "https://eu.app.clio.com/nc/#/documents/77")],
)
def test_the_link_leads_to_the_connections_own_region(delivery: Delivery, region: str, address: str) -> None:
    delivery.connection.region = region
    assert clio_url(delivery.connection, 77) == address
