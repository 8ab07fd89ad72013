"""The receipt of a filed document: the page that Clio links to, and the PDF."""

from __future__ import annotations

import io
from collections.abc import Callable

import pypdfium2
import pytest
from django.test import Client
from django.utils import timezone

from clio_sync.models import Delivery
from portal.accounts.models import User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record
from portal.audit.models import Entry
from reviews.models import Draft
from reviews.receipt import Fact, Section
from reviews.receipt_pdf import NOTE, receipt_pdf
from tests import factories
from tests.cast import Cast

SignIn = Callable[[User], Client]
GREEK_AND_CYRILLIC = "Ελένη Παπαδοπούλου, Олена Шевченко, Łucja Müller"


@pytest.fixture
def filed(cast: Cast) -> Draft:
    link = factories.connection(connected_by=cast.dana)
    User.objects.filter(pk=cast.alice.pk).update(licence_number="LN-4711")
    place = factories.destination(link, category_name="Letters", category_id=3, folder_name="Correspondence")
    draft = factories.draft(submitter=cast.carol, place=place)
    delivery = factories.approved(draft, by=cast.alice)
    record(
        Event.DELIVERY_FILED,
        actor=Actor.system("test"),
        subject=Subject("delivery", delivery.pk),
        approval=delivery.approval_id,
    )
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.FILED,
        clio_document_id=77,
        clio_version_uuid="8d1e",
        sha256_sent=delivery.approval.sha256,
        size_confirmed=delivery.approval.size,
        storage_etag="e" * 32,
        done_at=timezone.now(),
    )
    draft.refresh_from_db()
    return draft


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def told_by(draft: Draft) -> list[str]:
    delivery = draft.delivery
    assert delivery is not None
    entry = Entry.objects.get(event=Event.DELIVERY_FILED)
    return [
        "Alice",
        "LN-4711",
        "Settlement offer.txt",
        "2026-0042 Okafor v. Brandt",
        "Correspondence",
        "Letters",
        "SHA-256 seen",
        delivery.approval.sha256,
        "e" * 32,
        "77",
        "8d1e",
        "Brandt & Okafor LLP",
        "(the firm’s connection)",
        str(delivery.approval_id),
        delivery.op_id,
        entry.hash.hex(),
    ]


def test_page_and_pdf_tell_the_same(filed: Draft, cast: Cast, sign_in: SignIn) -> None:
    alice = sign_in(cast.alice)
    page = alice.get(f"/drafts/{filed.pk}/receipt/").content.decode().replace("&amp;", "&")
    assert [fact for fact in told_by(filed) if fact not in page] == []
    answer = alice.get(f"/drafts/{filed.pk}/receipt.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert filed.delivery is not None
    assert answer["Content-Disposition"] == f'attachment; filename="receipt-{filed.delivery.op_id}.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    shown = " ".join(text_of(answer.content).split())
    assert [fact for fact in told_by(filed) if fact not in shown] == []
    assert f"http://localhost/drafts/{filed.pk}/receipt/" in shown


def test_who_took_the_pdf_is_on_record(filed: Draft, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.alice).get(f"/drafts/{filed.pk}/receipt.pdf")
    entry = Entry.objects.get(event=Event.DOWNLOAD_RECEIPT)
    assert filed.delivery is not None
    assert (entry.actor_id, entry.object_id) == (str(cast.alice.pk), str(filed.pk))
    assert entry.content["detail"]["delivery"] == str(filed.delivery.pk)


def test_there_is_no_receipt_before_it_is_filed_and_none_for_strangers(
    filed: Draft, cast: Cast, sign_in: SignIn
) -> None:
    assert filed.connection is not None
    waiting = factories.draft(submitter=cast.carol, place=factories.destination(filed.connection))
    for name in ("receipt/", "receipt.pdf"):
        assert sign_in(cast.alice).get(f"/drafts/{waiting.pk}/{name}").status_code == 404
        assert sign_in(cast.mallory).get(f"/drafts/{filed.pk}/{name}").status_code == 404
    assert not Entry.objects.filter(event=Event.DOWNLOAD_RECEIPT).exists()


def test_whoever_comes_from_clio_signs_in_and_reads_the_receipt(filed: Draft, client: Client) -> None:
    address = f"/drafts/{filed.pk}/receipt/"
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"] == f"/account/login/?next={address}"


def pdf_of(*values: str) -> bytes:
    facts = tuple(Fact("Name", value) for value in values)
    return receipt_pdf(lede=values[0], sections=[Section("Who", facts)], address="https://firm.example/1")


def test_the_same_receipt_gives_the_same_bytes() -> None:
    assert pdf_of("Alice") == pdf_of("Alice")


def test_names_in_latin_greek_and_cyrillic_are_shown() -> None:
    shown = text_of(pdf_of(GREEK_AND_CYRILLIC))
    assert GREEK_AND_CYRILLIC in " ".join(shown.split())
    assert "[U+" not in shown


def test_what_the_fonts_cannot_show_is_spelled_out_and_said() -> None:
    shown = " ".join(text_of(pdf_of("李雷", "שרה")).split())
    assert "[U+674E][U+96F7]" in shown
    assert "[U+05E9]" in shown
    assert NOTE in shown


def test_markup_in_a_name_is_text_and_stays_out_of_the_metadata() -> None:
    hostile = '<b>Bold</b> & <img src="http://evil.example/x.png"/> <a href="javascript:1">x</a>'
    pdf = pdf_of(hostile, "x" * 3000)
    assert hostile in " ".join(text_of(pdf).split())
    assert pypdfium2.PdfDocument(io.BytesIO(pdf)).get_metadata_dict()["Title"] == "Receipt"
    assert b"/URI" not in pdf


def test_a_long_receipt_goes_on_over_pages() -> None:
    pdf = pdf_of(*(f"Folder {number} " * 12 for number in range(60)))
    assert len(pypdfium2.PdfDocument(io.BytesIO(pdf))) > 1
