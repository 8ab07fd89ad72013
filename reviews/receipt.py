"""What a receipt says, fact by fact: the page and the PDF show the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils import dateformat, timezone

from clio_sync.receipts import Receipt
from reviews.models import Decision, Draft


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    is_exact: bool = False  # a hash or an id: shown letter by letter, to be compared


@dataclass(frozen=True)
class Section:
    title: str
    facts: tuple[Fact, ...]


def sections(proof: Receipt, *, seen: str) -> tuple[Section, ...]:
    """Every fact that is known. `seen` is the SHA-256 of what the reviewer had on the screen."""
    parts = {
        "Who and when": _who(proof),
        "What was filed": _what(proof, seen),
        "Where it is in Clio": _where(proof),
        "In the audit log": _log(proof),
    }
    return tuple(
        Section(title, tuple(fact for fact in facts if fact.value)) for title, facts in parts.items()
    )


def seen_sha256(draft: Draft) -> str:
    """The SHA-256 to which the approving decision is bound."""
    assert draft.delivery is not None, "a receipt has a delivery"  # noqa: S101
    approving = Decision.objects.filter(
        version=draft.delivery.version_ref, verdict=Decision.Verdict.APPROVE
    ).order_by("-created_at")
    return approving.values_list("sha256", flat=True).first() or ""


def at(moment: datetime) -> str:
    """To the second and with the zone: a receipt is read far away and years later."""
    return dateformat.format(timezone.localtime(moment), "j M Y, H:i:s T")


def _who(proof: Receipt) -> Iterator[Fact]:
    yield Fact("Approved by", proof.approved_by.full_name)
    yield Fact("Licence number", proof.approved_by.licence_number)
    yield Fact("Approved", at(proof.approved_at))
    yield Fact("Filed", at(proof.filed_at))
    yield Fact("Failed attempts", str(proof.failed_attempts or "none"))
    yield Fact("Approval", str(proof.approval_id), is_exact=True)


def _what(proof: Receipt, seen: str) -> Iterator[Fact]:
    yield Fact("SHA-256 seen", seen, is_exact=True)
    yield Fact("SHA-256 approved", proof.sha256_approved, is_exact=True)
    yield Fact("SHA-256 sent", proof.sha256_sent, is_exact=True)
    yield Fact("Storage’s own mark (ETag)", proof.storage_etag, is_exact=True)
    yield Fact("File", proof.destination.file_name)
    yield Fact("Size", f"{filesizeformat(proof.size)}, exactly {proof.size:,} bytes")
    yield Fact("Type", proof.media_type)


def _where(proof: Receipt) -> Iterator[Fact]:
    place, number = proof.destination, proof.clio_version_number
    yield Fact("Matter", f"{place.matter_number} {place.matter_description}".strip())
    yield Fact("Client", place.client_name)
    yield Fact("Folder", place.folder_path)
    yield Fact("Category", place.category_name)
    yield Fact("Document", str(proof.clio_document_id), is_exact=True)
    yield Fact("New version of", place.document_name)
    yield Fact("Version", f"{f'{number}, ' if number else ''}{proof.clio_version_uuid}", is_exact=True)
    yield Fact("Account", f"{proof.filed_as.account_name}, {proof.filed_as.region}")
    own = "" if proof.filed_as.is_own else " (the firm’s connection)"
    yield Fact("As Clio user", f"{proof.filed_as.user_name}{own}")
    yield Fact("Our name for it", proof.op_id, is_exact=True)


def _log(proof: Receipt) -> Iterator[Fact]:
    if proof.log_position is not None:
        yield Fact("Entry", str(proof.log_position))
        yield Fact("SHA-256 of the entry", proof.log_hash, is_exact=True)
