"""The production files, checked as far as one can without a container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = sorted(set(SERVICES) - {"migrate"})


def test_production_has_the_parts_the_portal_needs() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "postgres", "redis", "migrate"}


@pytest.mark.parametrize("name", LASTING)
def test_a_service_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert check["interval"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_reads_its_secrets_from_files(name: str) -> None:
    service = SERVICES[name]
    environment: Mapping[str, str] = service.get("environment", {})
    assert not [
        key
        for key in environment
        if key.endswith(("_KEY", "_KEYS", "_SECRET", "_PASSWORD", "_URL")) and key != "SITE_URL"
    ]
    files = {
        value.removeprefix("/run/secrets/") for key, value in environment.items() if key.endswith("_FILE")
    }
    assert files <= set(service["secrets"])
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])


def test_the_database_and_the_broker_cannot_be_reached_from_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_nothing_starts_before_the_tables_are_there() -> None:
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_image_is_built_from_pinned_packages_for_an_ordinary_user() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert any("--require-hashes -r /tmp/requirements.txt" in line for line in lines)
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in lines)


def test_the_image_holds_the_program_and_nothing_else() -> None:
    kept = [line[1:] for line in _lines(".dockerignore") if line.startswith("!")]
    assert all((ROOT / name).exists() for name in kept)
    assert "*" in _lines(".dockerignore")
    assert not {"data", "secrets", ".env", ".git"} & set(kept)


def test_the_settings_accept_what_production_gives_them(tmp_path: Path) -> None:
    secrets = _made_secrets(tmp_path)
    environment = {
        key: value.replace("/run/secrets", str(secrets))
        for key, value in SERVICES["web"]["environment"].items()
        if "${" not in value
    }
    asked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "SITE_URL": "https://countersign.example",
            "TRUSTED_PROXY_COUNT": "1",
            "DATA_DIR": str(tmp_path / "data"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr


def test_making_the_secrets_again_changes_none(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in _made_secrets(tmp_path).iterdir()}
    again = {path.name: path.read_bytes() for path in _made_secrets(tmp_path).iterdir()}
    assert first == again
    assert first.keys() == COMPOSE["secrets"].keys()
    assert first["postgres_password"] in first["database_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def _made_secrets(folder: Path) -> Path:
    (folder / "scripts").mkdir(exist_ok=True)
    script = shutil.copy(ROOT / "scripts" / "make_secrets.sh", folder / "scripts")
    subprocess.run([script], check=True, capture_output=True)
    return folder / "secrets"


def _lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()
