"""Two networks through the commands: one on stand-in data, one on files of the real kind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recordings import write_speech_commands

from models.shared import speech

# One worker trains at a time.
pytestmark = pytest.mark.xdist_group("keras")
REPOSITORY = Path(__file__).parents[2]


def tinyml(*arguments: object, cwd: Path, **environment: str) -> str:
    """Run a command in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tinyml", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_autoencoder_goes_from_hum_to_bytes_that_equal_the_reference(tmp_path):
    name = "anomaly_detection"
    said = tinyml("train", name, "-o", ".", "--epochs", 5, cwd=tmp_path, TINYML_DATA_DIR="")
    tinyml("export", f"{name}.keras", "--format", "tflite", "-o", "float.tflite", cwd=tmp_path)
    tinyml("quantize", "float.tflite", "--data", f"{name}.calibration.npz",
           "-o", "int8.tflite", cwd=tmp_path)  # fmt: skip
    tinyml("compare", "int8.tflite", "--data", f"{name}.test.npz", "--board", "host",
           "--reference", "float.tflite", "--json", "result.json", cwd=tmp_path)  # fmt: skip

    result = json.loads((tmp_path / "result.json").read_text())
    assert "stand-in data: computed hum" in said
    assert "float ROC AUC" in said
    assert result["metric"] == "reconstruction_auc"
    assert result["mismatched_bytes"] == 0
    assert result["compared_bytes"] == 640 * result["samples"]
    assert 0.7 < result["float_accuracy"] <= 1
    assert abs(result["float_accuracy"] - result["device_accuracy"]) < 0.05


def test_the_wake_word_network_trains_on_the_data_set_that_the_user_names(tmp_path):
    write_speech_commands(tmp_path / speech.DATASET)

    said = tinyml(
        "train", "streaming_wakeword", "-o", ".", "--epochs", 2,
        cwd=tmp_path, TINYML_DATA_DIR=str(tmp_path),
    )  # fmt: skip

    assert f"data              {tmp_path / speech.DATASET}\n" in said
    assert "stand-in" not in said
    with np.load(tmp_path / "streaming_wakeword.test.npz") as test:
        assert test["x"].shape == (4, 30, 1, 40)
        assert str(test["metric"]) == "accuracy"
