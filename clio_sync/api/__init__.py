"""A small client for Clio Manage: httpx and the standard library, no Django.

    with ClioClient(ORIGINS[Region.US], tokens, storage_policy=StoragePolicy.clio([...])) as clio:
        room = clio.reserve_document("Letter.docx", parent=Parent.matter(matter_id))
        clio.transfer(room.put_url, room.put_headers, file, size=size, sha256=approved)
        filed = clio.confirm_document(room.document_id, version_uuid=room.version_uuid)
        assert filed.is_complete(version_uuid=room.version_uuid, size=size)

What can go wrong is drawn in `errors`; OAuth is in `oauth`; what comes back is in `wire`.
"""

from __future__ import annotations

from clio_sync.api.auth import FixedToken, TokenSource
from clio_sync.api.client import CallReport, ClioClient
from clio_sync.api.limits import RateReading
from clio_sync.api.paging import Listing, Page
from clio_sync.api.regions import ORIGINS, Region
from clio_sync.api.secret import Secret
from clio_sync.api.storage import StoragePolicy, TransferResult
from clio_sync.api.wire import (
    ConfirmedDocument,
    Document,
    Folder,
    Matter,
    Parent,
    ParentType,
    PartPlan,
    Ref,
    Reservation,
    WhoAmI,
)

__all__ = [
    "ORIGINS",
    "CallReport",
    "ClioClient",
    "ConfirmedDocument",
    "Document",
    "FixedToken",
    "Folder",
    "Listing",
    "Matter",
    "Page",
    "Parent",
    "ParentType",
    "PartPlan",
    "RateReading",
    "Ref",
    "Region",
    "Reservation",
    "Secret",
    "StoragePolicy",
    "TokenSource",
    "TransferResult",
    "WhoAmI",
]
