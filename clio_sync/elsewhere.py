"""Versions that Clio already holds though this database does not remember filing them."""

from __future__ import annotations

from uuid import UUID

from clio_sync.models import FiledElsewhere


class FiledBefore(Exception):
    """Clio already holds this version. The message says as which document, for a person."""


def filed_before(version_ref: UUID) -> str:
    """The sentence that says so, or nothing."""
    found = FiledElsewhere.objects.filter(version_ref=version_ref).order_by("pk").first()
    if found is None:
        return ""
    return (
        f"Clio already holds this: it was filed as document {found.clio_document_id} before the backup was "
        "restored. Withdraw or reject this draft, or add a new version."
    )


def must_not_be_filed_before(version_ref: UUID) -> None:
    """Raises FiledBefore."""
    sentence = filed_before(version_ref)
    if sentence:
        raise FiledBefore(sentence)
