"""What is written down must agree with what is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from django.conf import settings
from django.urls import reverse

ROOT = Path(__file__).resolve().parents[1]
READ = re.compile(r"""\benv(?:bool|int|str|list|secret)\(\s*(f?)"([^"]+)\"""")
READ_SECRET = re.compile(r"""\benvsecret\(\s*(f?)"([^"]+)\"""")
EXAMPLE = re.compile(r"^#?([A-Z][A-Z_]+)=", re.MULTILINE)
TABLE_ROW = re.compile(r"^\| `([A-Z][A-Z_]+)`", re.MULTILINE)


def test_every_setting_stands_in_the_example_and_no_other() -> None:
    assert _example_names() == _settings(READ)


def test_every_setting_of_the_example_is_explained() -> None:
    """By the comment of its block: the lines between two explanations share the one above them."""
    for block in re.split(r"\n(?=# )", _text(".env.example")):
        if EXAMPLE.search(block):
            assert re.match(r"# [A-Z].{10,}", block), block


def test_the_example_marks_what_may_stand_in_a_file() -> None:
    text = _text(".env.example")
    assert text.count("(secret)") >= 8
    assert _settings(READ_SECRET) >= {
        "SECRET_KEY",
        "TOKEN_KEYS",
        "DATABASE_URL",
        "CELERY_BROKER_URL",
        "CACHE_URL",
    }


def test_the_readme_lists_the_same_settings() -> None:
    assert set(TABLE_ROW.findall(_text("README.md"))) == _settings(READ)


def test_the_readme_names_the_redirect_uri_that_is_sent() -> None:
    """Clio compares it letter by letter."""
    assert f"yourfirm.example{reverse('clio_sync:callback')}`" in _text("README.md")


def test_the_makefile_explains_its_targets() -> None:
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "demo", "test", "check", "bench", "chaos", "help"):
        assert re.search(rf"make {target} +\w+", printed), target


def test_the_links_of_a_document_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    assert pages
    assert not [f"{page.relative_to(ROOT)}: {target}" for page in pages for target in _dead_links(page)]


def _dead_links(page: Path) -> list[str]:
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    return [target for target in targets if not (page.parent / target).exists()]


def _settings(reader: re.Pattern[str]) -> set[str]:
    """The names settings.py reads, those it makes of a region's name spelled out."""
    found = reader.findall(_text("portal/settings.py"))
    plain = {name for is_made, name in found if not is_made}
    made = {
        re.sub(r"\{.*?\}", region.upper(), name)
        for is_made, name in found
        if is_made
        for region in settings.CLIO_API_URLS
    }
    return plain | made


def _example_names() -> set[str]:
    return set(EXAMPLE.findall(_text(".env.example")))


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
