from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from gunicorn.glogging import SafeAtoms

from portal.access_log import WithoutSecrets
from portal.stack import parts

ROOT = Path(__file__).resolve().parents[2]


def line(address: str, *, referrer: str = "") -> str:
    """One line in the form that gunicorn writes by default."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": address,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.7",
        "HTTP_REFERER": referrer,
    }
    request = SimpleNamespace(headers=[("REFERER", referrer), ("AUTHORIZATION", "Bearer csk_secret")])
    response = SimpleNamespace(status="200 OK", sent=512, headers=[])
    config = Config()
    logger = WithoutSecrets(config)
    atoms = logger.atoms(response, request, environ, timedelta(milliseconds=12))
    return str(config.access_log_format % SafeAtoms(atoms))


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("/?q=Okafor", "Okafor"),
        ("/clio/callback?code=top&state=secret", "secret"),
        ("/account/password/reset/key/1-cs7f-0a1b2c/", "0a1b2c"),
    ],
)
def test_neither_searches_nor_codes_nor_keys_stand_in_the_access_log(address: str, hidden: str) -> None:
    written = line(address, referrer=f"http://localhost{address}")
    assert hidden not in written
    assert address.partition("?")[0].rpartition("/1-")[0] in written
    assert "10.0.0.7" in written and " 200 " in written


def test_every_way_of_starting_the_web_server_uses_it() -> None:
    name = "portal.access_log.WithoutSecrets"
    assert name in (ROOT / "Dockerfile").read_text()
    assert name in Path(parts.__file__).read_text()
