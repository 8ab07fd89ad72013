"""What a place holds already under the name that a draft would get there: told to people, blocking nobody.

Two documents of one name are possible in Clio, and two approvals are two documents. Whether that was meant,
only a person knows.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from clio_sync import connections, folders, matters
from clio_sync.destinations import Destination
from clio_sync.errors import BadDestination
from clio_sync.matters import Document
from clio_sync.models import Delivery
from portal.accounts.models import User
from reviews.models import Draft, Status

LOOKED_THROUGH = 200


@dataclass(frozen=True, kw_only=True)
class Found:
    """Documents in Clio, and drafts that are on their way there. `is_unread`: Clio could not be asked."""

    documents: list[Document] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    is_unread: bool = False


@dataclass(frozen=True, kw_only=True)
class Target:
    """The document that gets a new version, as Clio has it now; None when it is not there any more."""

    document: Document | None


def in_place(place: Destination, *, user: User, but: Draft | None = None) -> Found:
    """What bears the same name in the same place, as far as this person may see it."""
    if place.document_id is not None:
        return Found()
    drafts = _drafts(place, user=user, but=but)
    try:
        found = matters.namesakes(connections.named(place.connection_id), place)
    except BadDestination:
        return Found(drafts=drafts, is_unread=True)
    return Found(documents=found, drafts=drafts)


def target(place: Destination) -> Target | None:
    """Nothing when the draft becomes a document of its own, or Clio cannot be asked."""
    if place.document_id is None:
        return None
    with suppress(BadDestination):
        known = matters.documents(connections.named(place.connection_id), place.matter_id)
        return Target(document=next((one for one in known if one.id == place.document_id), None))
    return None


def _drafts(place: Destination, *, user: User, but: Draft | None) -> list[Draft]:
    near = Draft.objects.visible_to(user).filter(
        matter_id=place.matter_id,
        status__in=[Status.WAITING, Status.IN_REVIEW, Status.RETURNED, Status.APPROVED],
    )
    on_their_way = near.exclude(delivery__state__in=Delivery.FINAL)
    newest = on_their_way.order_by("-submitted_at")[:LOOKED_THROUGH]
    wanted = _key(place)
    return [one for one in newest if one != but and _key(Destination.from_json(one.destination)) == wanted]


def _key(place: Destination) -> tuple[object, ...]:
    path = tuple(folders.same(name) for name in place.new_folders)
    return (place.document_id, place.folder_id, path, folders.same(place.file_name))
