from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import env


def test_a_missing_setting_without_default_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_X", raising=False)
    with pytest.raises(ImproperlyConfigured, match="PORTAL_X"):
        env.envstr("PORTAL_X")


@pytest.mark.parametrize("value", ["maybe", "2", "ja"])
def test_a_flag_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORTAL_X", value)
    with pytest.raises(ImproperlyConfigured, match="PORTAL_X"):
        env.envbool("PORTAL_X")


@pytest.mark.parametrize("value", ["ten", "1.5", "-1"])
def test_a_number_that_is_not_one_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORTAL_X", value)
    with pytest.raises(ImproperlyConfigured, match="PORTAL_X"):
        env.envint("PORTAL_X", 3)


def test_a_secret_comes_from_its_file_and_not_from_two_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("PORTAL_X_FILE", str(tmp_path / "secret"))
    assert env.envsecret("PORTAL_X") == "s3cret"
    monkeypatch.setenv("PORTAL_X", "other")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        env.envsecret("PORTAL_X")
    monkeypatch.delenv("PORTAL_X")
    monkeypatch.setenv("PORTAL_X_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match="PORTAL_X_FILE"):
        env.envsecret("PORTAL_X")


def test_database_addresses() -> None:
    assert env.database("sqlite:////var/lib/portal.sqlite3")["NAME"] == "/var/lib/portal.sqlite3"
    socket = env.database("postgresql://app@/portal?host=/run/pg")
    assert (socket["HOST"], socket["NAME"], socket["USER"]) == ("/run/pg", "portal", "app")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.database("mysql://localhost/portal")
