"""Where Clio Manage lives.

Four deployments that know nothing of each other: an account, a token and an app key are valid in one of them
only (docs.developers.clio.com/handbook/getting-started/regions).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from clio_sync.api.errors import AddressRefused


class Region(StrEnum):
    US = "us"
    CA = "ca"
    EU = "eu"
    AU = "au"


ORIGINS: Final[dict[Region, str]] = {
    Region.US: "https://app.clio.com",
    Region.CA: "https://ca.app.clio.com",
    Region.EU: "https://eu.app.clio.com",
    Region.AU: "https://au.app.clio.com",
}


def checked_origin(base_url: str, *, sandbox: bool) -> str:
    """The origin of a Clio host. Raises AddressRefused unless it is Clio's own or a sandbox is meant."""
    origin = base_url.rstrip("/")
    if origin in ORIGINS.values():
        return origin
    if sandbox and re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", origin):
        return origin
    raise AddressRefused
