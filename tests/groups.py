"""Tests of one `xdist_group` run in one process (`-p tests.groups`).

pytest-xdist 3.8 writes the group of a test where pytest 9.2 no longer reads it, and then scatters the tests.
"""

from __future__ import annotations

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        written: str | None = vars(item).get("_nodeid")
        if written:
            item._id = NodeId.parse(written)
