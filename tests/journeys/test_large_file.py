"""The short form of B1 of `make bench`: constant memory, and only the missing part after a kill."""

from __future__ import annotations

import pytest

from bench import large_file


@pytest.mark.xdist_group("embedded-aside")
def test_a_large_file_is_filed_in_constant_memory_and_goes_on_after_a_kill() -> None:
    assert large_file.measure(short=True, seed=20261121)
