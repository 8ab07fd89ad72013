"""Which regions this portal can connect to, at which host, with which app, and where their files may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import reverse

from clio_sync.api.oauth import OAuthApp
from clio_sync.api.secret import Secret
from clio_sync.api.storage import StoragePolicy
from clio_sync.models import Region


class RegionNotReady(Exception):
    """The environment lacks what a connection in this region needs. The message names the variables."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """One region as the page that connects offers it."""

    region: Region
    missing: tuple[str, ...]  # environment variables

    @property
    def is_ready(self) -> bool:
        return not self.missing

    @property
    def host(self) -> str:
        return str(settings.CLIO_API_URLS[self.region]).partition("://")[2]


def readiness() -> list[Readiness]:
    return [Readiness(region=region, missing=tuple(_missing(region))) for region in Region]


def app_for(region: str) -> OAuthApp:
    """The portal's registration in a region. Raises RegionNotReady.

    Plain http is for the sandbox alone: the client refuses any other origin that is not one of Clio's own.
    """
    missing = list(_missing(Region(region)))
    if missing:
        raise RegionNotReady(f"{Region(region).label} needs {' and '.join(missing)} in the environment.")
    client_id, client_secret = settings.CLIO_APPS[region]
    return OAuthApp(
        origin=settings.CLIO_API_URLS[region],
        client_id=client_id,
        client_secret=Secret(client_secret),
        sandbox=region == Region.SANDBOX,
    )


def storage_policy(region: str) -> StoragePolicy:
    """Where the bytes of a region's documents may go; with nothing configured, nowhere."""
    if region != Region.SANDBOX:
        return StoragePolicy.clio(settings.CLIO_STORAGE_HOSTS)
    return StoragePolicy.sandbox(settings.CLIO_SANDBOX_STORAGE_URL or settings.CLIO_API_URLS[region])


def redirect_uri() -> str:
    """The one address to register at Clio. It never depends on a request."""
    return f"{settings.SITE_URL}{reverse('clio_sync:callback')}"


def _missing(region: Region) -> Iterator[str]:
    client_id, client_secret = settings.CLIO_APPS[region]
    name = region.value.upper()
    if not settings.CLIO_API_URLS[region]:
        yield f"CLIO_{name}_URL"
    if not client_id:
        yield f"CLIO_{name}_CLIENT_ID"
    if not client_secret:
        yield f"CLIO_{name}_CLIENT_SECRET"


@register("clio")
def check_storage_hosts(**kwargs: Any) -> list[CheckMessage]:
    try:
        StoragePolicy.clio(settings.CLIO_STORAGE_HOSTS)
    except ValueError as error:
        return [Error(f"CLIO_STORAGE_HOSTS: {error}", id="clio_sync.E001")]
    return []
