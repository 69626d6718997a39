"""The command in a process of its own: TensorFlow must not get into the one that runs the tests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TINY = """
import numpy as np

BATCH_SIZE = 8


def build():
    import keras

    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(2, activation="softmax", name="dense")]
    )


def load_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    return (x[:40], y[:40]), (x[40:], y[40:])
"""


def train(*arguments: str) -> "subprocess.CompletedProcess[str]":
    repository = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "tinyml", "train", *arguments],
        env=os.environ | {"PYTHONPATH": repository},
        capture_output=True,
        text=True,
        check=False,
    )


def test_train_writes_a_model_its_calibration_and_its_test_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny.py").write_text(TINY)

    done = train("tiny.py", "-o", "trained", "--epochs", "1", "--seed", "3")

    assert (done.returncode, done.stderr) == (0, "")
    assert "1 epochs" in done.stdout
    assert sorted(path.name for path in Path("trained").iterdir()) == [
        "tiny.calibration.npz",
        "tiny.keras",
        "tiny.test.npz",
    ]
    with np.load("trained/tiny.calibration.npz") as calibration:
        assert calibration["x"].shape == (40, 4)
    with np.load("trained/tiny.test.npz") as test:
        assert test["x"].shape == (24, 4)
        assert test["y"].shape == (24,)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["digit"], "did you mean digits?"),
        (["missing.py"], "missing.py does not exist"),
        (["empty.py"], "empty.py has no function build()"),
        (["broken.py"], "broken.py failed in its code with SyntaxError"),
        (["empty.py", "-o", "empty.py"], "a file stands where a folder is needed"),
        (["empty.py", "--epochs", "0"], "0 is not in the range"),
    ],
)
def test_train_refuses_what_it_cannot_train_and_writes_nothing(
    tmp_path, monkeypatch, tinyml, arguments, complaint
):
    monkeypatch.chdir(tmp_path)
    Path("empty.py").touch()
    Path("broken.py").write_text("def build(:\n")

    called = tinyml("train", *arguments)

    assert called.code == 2
    assert complaint in called.err
    assert sorted(path.name for path in Path().iterdir() if path.suffix != "") == [
        "broken.py",
        "empty.py",
    ]
    assert not list(Path().rglob("*.keras"))
