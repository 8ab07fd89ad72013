"""The proof after filing, as a page and as a PDF; 404 until there is one."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clio_sync.models import Delivery
from clio_sync.receipts import Receipt, page_address, receipt
from portal.audit.events import Event
from portal.audit.log import Actor, record
from portal.http import PortalRequest
from reviews import actions
from reviews.access import get_draft_for
from reviews.models import Draft
from reviews.receipt import at, sections, seen_sha256
from reviews.receipt_pdf import receipt_pdf


@require_GET
def page(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponse:
    """Clio keeps this address with the document: whoever comes from there signs in and is here."""
    draft = get_draft_for(request.user, draft_id)
    proof = _proof(draft)
    context = {
        "draft": draft,
        "receipt": proof,
        "lede": _lede(proof),
        "sections": sections(proof, seen=seen_sha256(draft)),
        "countersigned": f"Countersigned {at(proof.approved_at)}",
        "address": page_address(draft.pk),
    }
    return render(request, "reviews/receipt.html", context)


@require_GET
def pdf(request: PortalRequest, draft_id: uuid.UUID) -> HttpResponse:
    """The same as a file. Who took it is on record."""
    draft = get_draft_for(request.user, draft_id)
    proof = _proof(draft)
    file = receipt_pdf(
        lede=_lede(proof),
        sections=sections(proof, seen=seen_sha256(draft)),
        address=page_address(draft.pk),
    )
    with transaction.atomic():
        record(
            Event.DOWNLOAD_RECEIPT,
            actor=Actor.person(request),
            subject=actions.subject(draft),
            corr=draft.pk,
            delivery=proof.delivery_id,
            sha256=proof.sha256_sent,
        )
    response = HttpResponse(file, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{proof.op_id}.pdf"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response


def _proof(draft: Draft) -> Receipt:
    if draft.delivery is None or draft.delivery.state != Delivery.State.FILED:
        raise Http404
    return receipt(draft.delivery)


def _lede(proof: Receipt) -> str:
    place = proof.destination
    return f"“{place.file_name}” was filed in {place.place} as Clio document {proof.clio_document_id}."
