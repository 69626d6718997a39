"""Tests that share what takes long to make share a worker: pytest and xdist have to agree on it."""

import subprocess
import sys

GROUPED = """
import os
from pathlib import Path

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_it(number):
    Path(__file__).with_name(f"{number}.pid").write_text(str(os.getpid()))
"""


def test_tests_of_one_group_run_in_one_process(tmp_path):
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", tmp_path]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert len({path.read_text() for path in tmp_path.glob("*.pid")}) == 1
