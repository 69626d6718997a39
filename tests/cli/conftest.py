"""A folder with small models and data, and a way to call the command line in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from graphs import branches_int8, small_float, small_int8

from tinyml.cli import run
from tinyml.export.tflite import write_tflite


@dataclass(frozen=True)
class Called:
    """What a command left behind besides files."""

    code: int
    out: str
    err: str


@pytest.fixture
def tinyml(capsys: pytest.CaptureFixture[str]) -> Callable[..., Called]:
    """Call ``tinyml`` with these arguments, in this process."""

    def call(*arguments: object) -> Called:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    return call


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: ``int8.tflite``, ``float.tflite``, ``two.tflite`` and data for them.

    ``data.npz`` holds 12 samples in [-1, 1] with labels, ``x.npy`` the same samples.
    """
    monkeypatch.chdir(tmp_path)
    Path("int8.tflite").write_bytes(write_tflite(small_int8()))
    Path("float.tflite").write_bytes(write_tflite(small_float()))
    Path("two.tflite").write_bytes(write_tflite(branches_int8()))
    x = np.random.default_rng(0).uniform(-1, 1, (12, 6, 6, 2)).astype(np.float32)
    np.savez("data.npz", x=x, y=np.arange(len(x)) % 3)
    np.save("x.npy", x)
    return tmp_path
