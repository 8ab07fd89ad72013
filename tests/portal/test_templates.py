"""What every template promises, whoever writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from portal.design import STATES
from reviews.models import Status

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
HANDLER = r"\son(?:blur|change|click|error|focus|input|key\w+|load|mouse\w+|submit|toggle)\s*="
INLINE = re.compile(rf"\sstyle\s*=|<style\b|<script(?![^>]*\bsrc=)|{HANDLER}|javascript:|hx-on")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_nothing_is_inline(template: Path) -> None:
    """The content security policy would drop it, and nobody would notice but the reader."""
    assert INLINE.findall(template.read_text()) == []


def test_a_draft_of_any_status_has_a_chip() -> None:
    assert {status.value for status in Status} <= set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_told_by_word_and_shape_and_colour(state: str) -> None:
    chip = render_to_string("elements/status.html", {"state": state})
    assert "<svg" in chip
    assert re.search(r"<span>\s*[A-Z][a-z]+", chip)
    assert f".status-{state}" in (ROOT / "static/css/elements.css").read_text()


def test_the_shapes_of_the_states_differ() -> None:
    shapes = [(ROOT / f"templates/elements/icons/{state}.html").read_text() for state in STATES]
    assert len(set(shapes)) == len(shapes)


def test_the_page_of_a_broken_server_needs_nothing() -> None:
    page = render_to_string("500.html")
    assert "Something broke on our side." in page
    assert "What was approved stays approved" in page
