from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.stacks import ROOT, bare_environment

GROUPED = """
import os, pathlib, pytest

@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("group", [
    pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("first", "second")
])
def test_where(group, number):
    with (pathlib.Path(__file__).parent / group).open("a") as noted:
        noted.write(os.environ["PYTEST_XDIST_WORKER"] + " ")
"""


def test_tests_of_one_group_run_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = ["pytest", "-p", "xdist.plugin", "-p", "tests.groups", "-n", "2", "--dist", "loadgroup"]
    done = subprocess.run(
        [sys.executable, "-m", *command, str(tmp_path)],
        cwd=ROOT,
        env={**bare_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran_in = [(tmp_path / group).read_text().split() for group in ("first", "second")]
    assert [len(workers) for workers in ran_in] == [8, 8]
    assert [len(set(workers)) for workers in ran_in] == [1, 1]
