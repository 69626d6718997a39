import json
from pathlib import Path

import numpy as np
import pytest
from graphs import branches_int8, small_int8, spread

from tinyml.evaluate.oracle import run_reference
from tinyml.numerics.affine import dequantize, quantize
from tinyml.passes.orders import prepare_for_device

pytestmark = pytest.mark.usefixtures("workplace")

BOARD = ("--board", "host")
RUN = ("run", "int8.tflite", *BOARD, "--input", "x.npy", "-o", "y.npy")


def reference(x: np.ndarray) -> np.ndarray:
    """What the oracle answers to samples of the small model, int8 (N, 3)."""
    graph = small_int8()
    if x.dtype != np.int8:
        x = quantize(x, graph.tensor("image").quant)
    return run_reference(graph, [x[:, None]])[0][:, 0]


@pytest.mark.parametrize("board", ["host", "mps2-an386"])
def test_float_samples_are_quantized_with_the_inputs_parameters(tinyml, board):
    called = tinyml("run", "int8.tflite", "--board", board, "--input", "x.npy", "-o", "y.npy")

    assert (called.code, called.err) == (0, "")
    y = np.load("y.npy")
    assert (y.dtype, y.shape) == (np.int8, (12, 3))
    assert np.array_equal(y, reference(np.load("x.npy")))


def test_int8_samples_are_taken_raw(tinyml):
    x = spread((5, 6, 6, 2))
    np.save("x.npy", x)

    called = tinyml(*RUN)

    assert called.code == 0
    assert np.array_equal(np.load("y.npy"), reference(x))


def test_samples_come_out_of_an_npz_too(tinyml):
    called = tinyml("run", "int8.tflite", *BOARD, "--input", "data.npz", "-o", "y.npy")

    assert called.code == 0
    assert np.array_equal(np.load("y.npy"), reference(np.load("x.npy")))


def test_dequantize_writes_real_numbers(tinyml):
    tinyml(*RUN)
    raw = np.load("y.npy")
    called = tinyml(*RUN, "--dequantize")

    y = np.load("y.npy")
    assert called.code == 0
    assert y.dtype == np.float32
    assert np.array_equal(y, dequantize(raw, small_int8().tensor("probabilities").quant))


def test_a_model_with_several_inputs_and_outputs_takes_and_gives_them_by_name(tinyml):
    a, b = spread((4, 2, 3)) / np.float32(100), spread((4, 2, 3), seed=1)
    np.savez("ab.npz", b=b, a=a)

    called = tinyml("run", "two.tflite", *BOARD, "--input", "ab.npz", "-o", "y.npz")

    assert (called.code, called.err) == (0, "")
    graph = prepare_for_device(branches_int8())
    samples = [quantize(a, graph.tensor("a/q").quant)[:, None], b[:, None]]
    expected = run_reference(graph, samples)
    with np.load("y.npz") as y:
        assert y.files == ["fc/float", "rectified"]
        assert np.array_equal(y["fc/float"], expected[0])
        assert np.array_equal(y["rectified"], expected[1][:, 0])


def test_one_output_goes_into_an_npz_where_asked_to(tinyml):
    called = tinyml("run", "int8.tflite", *BOARD, "--input", "x.npy", "-o", "y.npz")

    assert called.code == 0
    with np.load("y.npz") as y:
        assert y.files == ["probabilities"]


def test_several_outputs_do_not_go_into_an_npy(tinyml):
    called = tinyml("run", "two.tflite", *BOARD, "--input", "x.npy", "-o", "y.npy")

    assert called.code == 2
    assert "expected .npz" in called.err
    assert not Path("y.npy").exists()


def test_run_writes_what_the_emulator_counted_as_json(tinyml):
    called = tinyml(
        "run",
        "int8.tflite",
        "--board",
        "mps2-an386",
        "--input",
        "x.npy",
        "-o",
        "y.npy",
        "--json",
        "run.json",
    )

    counted = json.loads(Path("run.json").read_text())
    assert called.code == 0
    assert counted["board"] == "mps2-an386"
    assert counted["samples"] == 12
    mean = counted["instructions_per_inference"]
    assert 0 < counted["instructions_min"] <= mean <= counted["instructions_max"]
    assert counted["arena_bytes"] > 0
    assert 0 < counted["stack_bytes"] < 8192
    assert f"{mean:,}" in called.out


def test_the_host_counts_no_instructions(tinyml):
    tinyml(*RUN, "--json", "run.json")

    counted = json.loads(Path("run.json").read_text())
    assert counted["instructions_per_inference"] is None
    assert counted["stack_bytes"] is None


@pytest.mark.parametrize("jobs", [1, 3, 50])
def test_the_number_of_emulators_changes_nothing(tinyml, jobs):
    called = tinyml(*RUN, "--jobs", jobs)

    assert called.code == 0
    assert np.array_equal(np.load("y.npy"), reference(np.load("x.npy")))


def test_a_run_in_a_pipe_shows_no_progress_bar(tinyml):
    assert tinyml(*RUN).err == ""
