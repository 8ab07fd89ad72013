"""What reconciling found, did and could not know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Result(StrEnum):
    """What became of a delivery that was not over in this database."""

    FILED = "filed"  # Clio holds it; so does the log now
    ADOPTED = "adopted"  # Clio holds an unfinished document of it, from which it goes on
    GOES_ON = "goes_on"  # from where it stands
    NEEDS_PERSON = "needs_person"
    LOOKS_FIRST = "looks_first"  # it could not be looked up, and is not begun before it was
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What a document is that bears an operation this database does not know."""

    KEPT_FROM_APPROVAL = "kept_from_approval"  # its version is here, and is not approved again
    VERSION_UNKNOWN = "version_unknown"  # the draft came in after the backup
    OTHER_PLACE = "other_place"  # not in the matter that its version was meant for
    OTHER_SIZE = "other_size"
    UNFINISHED = "unfinished"  # nobody sees it; the daily sweep removes it
    NOT_OURS = "not_ours"  # somebody else made it


@dataclass(frozen=True, kw_only=True)
class DeliveryLine:
    op_id: str
    state: str  # as the backup had it
    result: Result
    document_id: int | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DocumentLine:
    document_id: int
    version_ref: UUID | None
    verdict: Verdict
    op_id: str = ""  # a new version of a document bears none
    note: str = ""


@dataclass
class Report:
    deliveries: list[DeliveryLine] = field(default_factory=list)
    documents: list[DocumentLine] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # sentences; each keeps the gate closed
    opened: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.unknown

    @property
    def results(self) -> Counter[Result]:
        return Counter(line.result for line in self.deliveries)

    @property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(line.verdict for line in self.documents)
