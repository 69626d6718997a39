"""From a Keras model to proven firmware through the real commands, and the numbers it shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from contract import COMPARE_KEYS
from digits import tinyml, trained_digits

from tinyml.data.dataset import quantize_samples
from tinyml.data.metrics import agreement, predicted_classes
from tinyml.evaluate.oracle import run_reference
from tinyml.frontend.load import load_quantized

BOARDS = ("host", "mps2-an386", "mps2-an500", "mps3-an547")

# What a user without tinyml would do, as TensorFlow's own guide shows it.
CONVERTER = """
import sys, keras, numpy as np, tensorflow as tf

model = keras.models.load_model("digits.keras")
image = keras.Input(batch_shape=(1, 8, 8, 1))
converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
converter.optimizations = [tf.lite.Optimize.DEFAULT]
x = np.load("digits.calibration.npz")["x"]
converter.representative_dataset = lambda: ([sample[None]] for sample in x)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
with open(sys.argv[1], "wb") as file:
    file.write(converter.convert())
"""


# One worker trains the model once.
pytestmark = pytest.mark.xdist_group("digits")


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_digits(tmp_path_factory)


def compare(digits: Path, tmp_path: Path, model: Path, board: str, *options: object) -> Any:
    """Compare on all held-out images and return the JSON of a comparison that passed."""
    result = tmp_path / "compare.json"
    done = tinyml(
        "compare",
        model,
        "--data",
        "digits.test.npz",
        "--board",
        board,
        "--json",
        result,
        *options,
        cwd=digits,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(result.read_text())


@pytest.mark.parametrize("board", BOARDS)
def test_the_device_answers_as_the_reference_and_nearly_as_well_as_float(digits, tmp_path, board):
    result = compare(
        digits,
        tmp_path,
        Path("digits.tflite"),
        board,
        "--reference",
        "digits.float.tflite",
        "--max-accuracy-drop",
        0.5,
    )

    assert result.keys() >= COMPARE_KEYS
    assert result["passed"] is True
    assert result["samples"] >= 360
    assert result["float_accuracy"] >= 0.97
    assert 100 * (result["float_accuracy"] - result["device_accuracy"]) <= 0.5
    assert result["reference_accuracy"] == result["device_accuracy"]
    assert result["reference"].startswith(("tflite-runtime 2.14", "tflite-micro 0.dev"))
    assert result["board"] == board
    assert result["mismatched_bytes"] == 0
    assert result["compared_bytes"] == 10 * result["samples"]
    assert (result["instructions_per_inference"] is None) == (board == "host")


def test_the_keras_model_itself_serves_as_the_float_reference(digits, tmp_path):
    keras = compare(digits, tmp_path, Path("digits.tflite"), "host", "--reference", "digits.keras")
    tflite = compare(
        digits, tmp_path, Path("digits.tflite"), "host", "--reference", "digits.float.tflite"
    )

    assert keras == tflite


def test_the_arena_is_at_its_lower_bound(digits, tmp_path):
    done = tinyml("inspect", "digits.tflite", "--json", tmp_path / "facts.json", cwd=digits)

    plans = json.loads((tmp_path / "facts.json").read_text())["plans"]
    assert done.returncode == 0
    assert len(plans) == 3
    assert all(plan["arena_bytes"] == plan["lower_bound"] for plan in plans)


def seconds(*arguments, cwd):
    started = time.monotonic()
    assert tinyml(*arguments, cwd=cwd).returncode == 0
    return time.monotonic() - started


def test_a_build_with_cmsis_nn_cached_takes_at_most_three_seconds(digits, tmp_path):
    build = ("build", "digits.tflite", "--board", "mps2-an386", "-o", tmp_path)
    tinyml(*build, cwd=digits)

    assert min(seconds(*build, cwd=digits) for _ in range(3)) <= 3  # others may be at work


def test_onnx_runtime_agrees_with_the_reference_on_nearly_every_class(
    digits, tmp_path, record_property
):
    done = tinyml(
        "export", "digits.tflite", "--format", "onnx", "-o", tmp_path / "digits.onnx", cwd=digits
    )
    assert done.returncode == 0
    graph = load_quantized(digits / "digits.tflite")
    with np.load(digits / "digits.test.npz") as data:
        (samples,) = quantize_samples([data["x"]], [graph.tensor(graph.inputs[0])])
    session = onnxruntime.InferenceSession(tmp_path / "digits.onnx")
    name = session.get_inputs()[0].name

    answers = np.stack([session.run(None, {name: sample})[0] for sample in samples])

    (expected,) = run_reference(graph, [samples])
    largest = int(np.abs(answers.astype(int) - expected.astype(int)).max())
    record_property("largest_difference", largest)
    print(f"largest difference between ONNX Runtime and the reference: {largest}")  # noqa: T201
    assert agreement(answers, expected) >= 0.995
    assert len(np.unique(predicted_classes(answers))) == 10


def test_our_int8_agrees_with_float_on_as_many_images_as_the_converters_own(digits, tmp_path):
    theirs = tmp_path / "converter.tflite"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", CONVERTER, str(theirs)]
    subprocess.run(command, cwd=digits, env=environment, check=True, capture_output=True)

    ours, other = (
        compare(digits, tmp_path, model, "host", "--reference", "digits.float.tflite")
        for model in (Path("digits.tflite"), theirs)
    )

    assert ours["float_agreement"] >= other["float_agreement"] >= 0.97
    assert other["mismatched_bytes"] == 0


@pytest.mark.parametrize(
    "options",
    ["--weights per-tensor", "--observer moving-average", "--observer percentile"],
)
def test_every_scheme_reaches_the_device_unchanged(digits, tmp_path, options):
    model = tmp_path / "other.tflite"
    done = tinyml(
        "quantize",
        "digits.float.tflite",
        "--data",
        "digits.calibration.npz",
        "-o",
        model,
        *options.split(),
        cwd=digits,
    )
    assert done.returncode == 0

    result = compare(digits, tmp_path, model, "mps2-an386", "--reference", "digits.float.tflite")

    assert result["mismatched_bytes"] == 0
    assert result["device_accuracy"] >= 0.95
