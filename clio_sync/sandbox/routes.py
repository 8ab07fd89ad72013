"""Every route under ``/api/v4``: method, path, the permission it needs, and what answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from clio_sync.sandbox import documents, folders, resources
from clio_sync.sandbox.call import Call
from clio_sync.sandbox.server import Response

BASE = "/api/v4"


@dataclass(frozen=True)
class Route:
    name: str
    method: str
    path: str
    permission: str
    act: Callable[[Call], Response]
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[0-9]{1,18})", self.path)
        object.__setattr__(self, "pattern", re.compile(f"^{BASE}{pattern}$"))

    @property
    def writes(self) -> bool:
        return self.method != "GET"


ROUTES = (
    Route("users.who_am_i", "GET", "/users/who_am_i", "", resources.who_am_i),
    Route("users.list", "GET", "/users", "users", resources.users),
    Route("users.show", "GET", "/users/{id}", "users", resources.user),
    Route("matters.list", "GET", "/matters", "matters", resources.matters),
    Route("matters.show", "GET", "/matters/{id}", "matters", resources.matter),
    Route("matters.client", "GET", "/matters/{matter_id}/client", "matters", resources.matter_client),
    Route("matter_stages.list", "GET", "/matter_stages", "matters", resources.matter_stages),
    Route("practice_areas.list", "GET", "/practice_areas", "matters", resources.practice_areas),
    Route("practice_areas.show", "GET", "/practice_areas/{id}", "matters", resources.practice_area),
    Route("contacts.list", "GET", "/contacts", "contacts", resources.contacts),
    Route("contacts.show", "GET", "/contacts/{id}", "contacts", resources.contact),
    Route(
        "document_categories.list", "GET", "/document_categories", "documents", resources.document_categories
    ),
    Route(
        "document_categories.show",
        "GET",
        "/document_categories/{id}",
        "documents",
        resources.document_category,
    ),
    Route("folders.list", "GET", "/folders", "documents", folders.index),
    Route("folders.show", "GET", "/folders/{id}", "documents", folders.show),
    Route("folders.create", "POST", "/folders", "documents", folders.create),
    Route("folders.update", "PATCH", "/folders/{id}", "documents", folders.update),
    Route("folders.trash", "DELETE", "/folders/{id}", "documents", folders.trash),
    Route("documents.list", "GET", "/documents", "documents", documents.index),
    Route("documents.show", "GET", "/documents/{id}", "documents", documents.show),
    Route("documents.create", "POST", "/documents", "documents", documents.create),
    Route("documents.update", "PATCH", "/documents/{id}", "documents", documents.update),
    Route("documents.trash", "DELETE", "/documents/{id}", "documents", documents.trash),
    Route("documents.versions", "GET", "/documents/{id}/versions", "documents", documents.list_versions),
    Route("documents.download", "GET", "/documents/{id}/download", "documents", documents.download),
)


def find(method: str, path: str) -> tuple[Route, dict[str, int]] | None:
    """The route for a path with or without ``.json``, and the numbers in it."""
    bare = path.removesuffix(".json")
    for route in ROUTES:
        if route.method == method and (match := route.pattern.match(bare)):
            return route, {name: int(value) for name, value in match.groupdict().items()}
    return None
