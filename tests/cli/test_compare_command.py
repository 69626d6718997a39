import json
from pathlib import Path

import numpy as np
import pytest
from contract import COMPARE_KEYS
from graphs import (
    activation,
    fully_connected,
    int8_weights,
    int32_bias,
    make_graph,
    small_float,
    spread,
)

from tinyml.evaluate.oracle import run_float
from tinyml.export.tflite import write_tflite

pytestmark = pytest.mark.usefixtures("workplace")

DATA = ("--data", "data.npz")
BOARD = ("--board", "host")
COMPARE = ("compare", "int8.tflite", *DATA, *BOARD)


def label_as_the_float_model_does() -> None:
    """Give the samples the labels with which float accuracy is 100 %."""
    x = np.load("x.npy")
    scores = run_float(small_float(), [x[:, None]])[0]
    np.savez("data.npz", x=x, y=scores.reshape(len(x), -1).argmax(axis=1))


def test_a_comparison_passes_where_no_byte_differs(tinyml):
    called = tinyml(*COMPARE, "--json", "compare.json")

    result = json.loads(Path("compare.json").read_text())
    assert (called.code, called.err) == (0, "")
    assert called.out.endswith("passed\n")
    assert result["passed"] is True
    assert (result["mismatched_bytes"], result["compared_bytes"]) == (0, 36)
    assert result["reference_accuracy"] == result["device_accuracy"]


def test_the_json_of_a_comparison_has_the_keys_scripts_depend_on(tinyml):
    tinyml(
        "compare",
        "int8.tflite",
        *DATA,
        "--board",
        "mps2-an386",
        "--reference",
        "float.tflite",
        "--json",
        "compare.json",
    )

    result = json.loads(Path("compare.json").read_text())
    assert result.keys() >= COMPARE_KEYS
    assert result["reference"].startswith(("tflite-runtime 2.", "tflite-micro 0.dev"))
    assert result["instructions_per_inference"] > 1000
    assert all(0 <= result[f"{model}_accuracy"] <= 1 for model in ("float", "reference", "device"))


def test_data_far_outside_of_the_models_range_are_warned_of_on_stderr_and_in_the_json(tinyml):
    data = np.load("data.npz")
    np.savez("data.npz", x=data["x"] * 255, y=data["y"])

    called = tinyml(*COMPARE, "--json", "compare.json")

    (warning,) = json.loads(Path("compare.json").read_text())["warnings"]
    assert called.err == f"warning: {warning}\n"
    assert "reach from -25" in warning
    assert called.out.endswith("passed\n")


def test_a_comparison_fails_where_the_device_loses_more_accuracy_than_allowed(tinyml):
    label_as_the_float_model_does()

    called = tinyml(
        *COMPARE,
        "--reference",
        "float.tflite",
        "--max-accuracy-drop",
        "0.5",
        "--json",
        "compare.json",
    )

    result = json.loads(Path("compare.json").read_text())
    assert called.code == 1
    assert result["float_accuracy"] == 1
    assert result["accuracy_drop"] > 0.5
    assert result["passed"] is False
    assert "FAILED: the accuracy drops by" in called.out


def test_a_comparison_passes_where_the_accuracy_drops_as_much_as_allowed(tinyml):
    label_as_the_float_model_does()

    called = tinyml(*COMPARE, "--reference", "float.tflite", "--max-accuracy-drop", "100")

    assert called.code == 0


def test_a_comparison_fails_where_the_device_differs_from_the_chosen_oracle(tinyml):
    weights = int8_weights("fc/w", (64, 4), None, scale=0.25, seed=3)
    tensors = [
        activation("features", (1, 4), 0.5, 3),
        weights,
        int32_bias("fc/b", 0.5, weights, 64, seed=4),
        activation("scores", (1, 64), 1.0, -7),
    ]
    dense = fully_connected("scores", "features", "fc/w", "fc/b")
    # Halves of a unit in the last place are common here, and LiteRT rounds them in float.
    graph = make_graph(tensors, [dense], ["features"], ["scores"])
    Path("dense.tflite").write_bytes(write_tflite(graph))
    np.savez("dense.npz", x=spread((16, 4), seed=9))
    compare = ("compare", "dense.tflite", "--data", "dense.npz", *BOARD, "--json", "compare.json")

    equal = tinyml(*compare)
    differing = tinyml(*compare, "--oracle", "ai-edge-litert")

    result = json.loads(Path("compare.json").read_text())
    assert (equal.code, differing.code) == (0, 1)
    assert result["reference"].startswith("ai-edge-litert")
    assert 0 < result["mismatched_bytes"] < result["compared_bytes"]
    assert result["max_difference"] == 1
    assert "FAILED: the device differs from the reference by up to 1" in differing.out


def test_without_labels_and_without_a_float_model_bytes_alone_are_compared(tinyml):
    np.savez("data.npz", x=np.load("x.npy"))

    called = tinyml(*COMPARE, "--json", "compare.json")

    result = json.loads(Path("compare.json").read_text())
    assert called.code == 0
    assert result["mismatched_bytes"] == 0
    for key in ("float_accuracy", "reference_accuracy", "device_accuracy", "float_agreement"):
        assert result[key] is None


def test_without_labels_the_agreement_with_the_float_model_is_still_known(tinyml):
    np.savez("data.npz", x=np.load("x.npy"))

    tinyml(*COMPARE, "--reference", "float.tflite", "--json", "compare.json")

    result = json.loads(Path("compare.json").read_text())
    assert 0 <= result["float_agreement"] <= 1
    assert result["float_accuracy"] is None


def test_a_model_with_several_inputs_is_compared_on_all_its_outputs(tinyml):
    np.savez("ab.npz", a=spread((4, 2, 3)), b=spread((4, 2, 3), seed=1))

    called = tinyml("compare", "two.tflite", "--data", "ab.npz", *BOARD, "--json", "compare.json")

    result = json.loads(Path("compare.json").read_text())
    assert called.code == 0
    assert result["compared_bytes"] == 4 * (2 * 4 + 4 * 3)


@pytest.mark.parametrize("jobs", [1, 5])
def test_the_number_of_emulators_changes_no_result(tinyml, jobs):
    tinyml(
        "compare",
        "int8.tflite",
        *DATA,
        "--board",
        "mps2-an386",
        "--json",
        "compare.json",
        "--jobs",
        jobs,
    )

    result = json.loads(Path("compare.json").read_text())
    assert result["mismatched_bytes"] == 0
    assert result["samples"] == 12
