"""Links, told to a lawyer by where they lead."""

from __future__ import annotations

from urllib.parse import urlsplit

from reviews.formats.report import Finding, FindingCode, counted, quoted

_SAFE_SCHEMES = frozenset({"http", "https", "mailto"})


def is_web_link(target: str) -> bool:
    """Whether a link leads to the web or to a mailbox, and not to a file, a share or a script."""
    if not target.isprintable() or target.startswith("\\"):
        return False
    try:
        return urlsplit(target).scheme.casefold() in _SAFE_SCHEMES
    except ValueError:
        return False


def links_finding(links: list[str]) -> Finding:
    """How many links there are and to which hosts, naming the first five."""
    hosts = list(dict.fromkeys(_host(link) for link in links))
    named = ", ".join(hosts[:5]) + (f" and {len(hosts) - 5} more" if len(hosts) > 5 else "")
    return Finding(FindingCode.LINKS, len(links), f"{counted(len(links), 'link')} to {named}.")


def _host(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        return "an address that makes no sense"
    if parts.scheme.casefold() == "mailto":
        return "e-mail addresses"
    return quoted(parts.netloc or link, 60).strip("“”")
