"""The main job's first half, done once per test run however many workers share it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def tinyml(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tinyml", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def trained_digits(factory: pytest.TempPathFactory) -> Path:
    """A folder with ``digits.keras``, its data, ``digits.float.tflite`` and ``digits.tflite``.

    The first caller trains with a fixed seed; the others, in whatever process, wait for it.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # what the workers of one run share
    folder, finished = root / "digits", root / "digits.finished"
    with (root / "digits.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            _train(folder)
            finished.touch()
    return folder


def _train(folder: Path) -> None:
    folder.mkdir()
    for command in (
        "train digits -o . --seed 0",
        "quantize digits.keras --data digits.calibration.npz -o digits.tflite",
        "export digits.keras --format tflite -o digits.float.tflite",
    ):
        done = tinyml(*command.split(), cwd=folder)
        if done.returncode != 0 or done.stderr:
            raise RuntimeError(f"tinyml {command} exited with {done.returncode}: {done.stderr}")
