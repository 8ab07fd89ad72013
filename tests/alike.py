"""Folders whose tests are alike on every database and broker, because they use none (`-p tests.alike`).

They run in the first round only.
"""

from __future__ import annotations

from typing import Final

import pytest

FOLDERS: Final = (
    "tests/clio_contract",
    "tests/clio_sync/api",
    "tests/clio_sync/sandbox",
    "tests/reviews/formats",
    "tests/reviews/preview",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(FOLDERS) and _uses_database(item):
            raise pytest.UsageError(f"{item.nodeid} uses the database: move it out of {FOLDERS}.")


def _uses_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return (
        item.get_closest_marker("django_db") is not None or "db" in fixtures or "transactional_db" in fixtures
    )
