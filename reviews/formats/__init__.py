"""What a draft's bytes are and what else is in them. Refuses, never repairs: what is approved is filed."""

from __future__ import annotations

from reviews.formats.check import check, plain_text
from reviews.formats.kinds import MediaType
from reviews.formats.names import check_name, composed
from reviews.formats.report import Finding, FindingCode, Inspection, NoSuchPage, Reason, Refused
from reviews.formats.sniff import by_extension

__all__ = [
    "Finding",
    "FindingCode",
    "Inspection",
    "MediaType",
    "NoSuchPage",
    "Reason",
    "Refused",
    "by_extension",
    "check",
    "check_name",
    "composed",
    "plain_text",
]
