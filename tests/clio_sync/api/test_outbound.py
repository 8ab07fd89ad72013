"""The one door out, tried from inside: whoever builds the request, it only leaves for where it may."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest

from clio_sync.api import Secret, errors
from clio_sync.api.outbound import only_origin, outbound_client
from clio_sync.api.storage import Storage
from tests.clio_sync.api.clio_script import ORIGIN, STORAGE, script


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http://app.clio.com/",
        "https://app.clio.com:8443/",
        "https://ca.app.clio.com/",
        "https://user:pass@app.clio.com/",
        "https://app.clio.com.evil.example/",
    ],
)
def test_a_request_to_anywhere_else_does_not_leave(address: str) -> None:
    network = script(httpx.Response(200))

    with outbound_client(only_origin(ORIGIN), transport=network.transport) as http:
        with pytest.raises(errors.AddressRefused):
            http.get(address)
        assert http.get(f"{ORIGIN}:443/fine").status_code == 200

    assert len(network.sent) == 1


def test_a_redirect_is_handed_back_and_not_followed() -> None:
    network = script(httpx.Response(302, headers={"location": f"{ORIGIN}/elsewhere"}))

    with outbound_client(only_origin(ORIGIN), transport=network.transport) as http:
        assert http.get(ORIGIN).status_code == 302

    assert len(network.sent) == 1


def test_passwords_of_the_machine_are_not_sent_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login operator password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    network = script(httpx.Response(200))

    with outbound_client(only_origin(ORIGIN), transport=network.transport) as http:
        http.get(ORIGIN)

    assert "authorization" not in network.last.headers


def test_a_proxy_of_the_machine_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with outbound_client(only_origin("http://127.0.0.1:2")) as http, pytest.raises(httpx.ConnectError):
        http.get("http://127.0.0.1:2/")


def test_every_request_has_time_limits() -> None:
    with outbound_client(only_origin(ORIGIN)) as http:
        limits = http.timeout

    assert None not in (limits.connect, limits.read, limits.write, limits.pool)


def test_storage_asks_its_list_again_at_the_door() -> None:
    """A user name before the host is refused by the list as well, not only by the reading of the address."""
    bucket = "clio-documents.s3.us-east-1.amazonaws.com"

    STORAGE.allow(httpx.URL(f"https://{bucket}/a"))
    with pytest.raises(errors.StorageAddressRefused):
        STORAGE.allow(httpx.URL(f"https://user@{bucket}/a"))


def test_storage_is_closed_with_its_client() -> None:
    storage = Storage(STORAGE)
    storage.close()

    with pytest.raises(RuntimeError, match="closed"):
        storage.fetch(Secret("https://clio-documents.s3.us-east-1.amazonaws.com/a"), io.BytesIO(), most=1)
