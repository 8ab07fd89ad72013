"""What a draft's bytes are and what else is in them. Refuses, never repairs: what is approved is filed."""

from __future__ import annotations

from reviews.formats.check import check
from reviews.formats.kinds import MediaType
from reviews.formats.names import check_name
from reviews.formats.report import Finding, FindingCode, Inspection, Reason, Refused
from reviews.formats.text_of import plain_text

__all__ = [
    "Finding",
    "FindingCode",
    "Inspection",
    "MediaType",
    "Reason",
    "Refused",
    "check",
    "check_name",
    "plain_text",
]
