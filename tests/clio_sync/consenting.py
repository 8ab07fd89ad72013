"""Connecting as a person does: the portal's form, the sandbox's consent page, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client

from clio_sync.models import Connection
from tests.sandbox_process import ALICE, SandboxProcess

START = "/clio/connect/"


def at_clio(browser: Client, *, start: str = START, region: str = "sandbox") -> str:
    """Press the button; the address of the consent page."""
    answer = browser.post(start, {"region": region, "back_to": "/clio/"})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return str(answer.headers["Location"])


def way_back(
    sandbox: SandboxProcess, consent_page: str, *, user_id: int = ALICE, decision: str = "allow"
) -> dict[str, str]:
    """Decide at the consent page; what the browser carries back to the portal."""
    answer = sandbox.decide(consent_page, user_id=user_id, decision=decision)
    return dict(sandbox.returned(answer))


def come_back(browser: Client, query: dict[str, str]) -> Any:
    return browser.get("/clio/callback", query)


def connect(
    browser: Client, sandbox: SandboxProcess, *, start: str = START, user_id: int = ALICE
) -> Connection:
    """The whole way, ending with the newest connection."""
    answer = come_back(browser, way_back(sandbox, at_clio(browser, start=start), user_id=user_id))
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return Connection.objects.latest("connected_at")


def state_of(consent_page: str) -> str:
    return dict(parse_qsl(urlsplit(consent_page).query))["state"]
