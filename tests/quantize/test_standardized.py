"""Inputs of sensors whose ranges int8 cannot hold together, standardized by the model."""

import numpy as np
import pytest
from float_runs import kinds
from function_graphs import PLAIN, float_graph, make

from tinyml.data.dataset import Dataset
from tinyml.evaluate.compare import compare_model
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics.affine import dequantize
from tinyml.ops.add import Add
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul
from tinyml.ops.neg import Neg
from tinyml.ops.sub import Sub
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

MEANS = np.array([1013, 22, 30000, 0, 0.5], np.float32)
DEVIATIONS = np.array([8, 5, 15000, 0.02, 0.3], np.float32)
CONSTANTS = {
    "mean": MEANS,
    "deviation": DEVIATIONS,
    "factor": 1 / DEVIATIONS,
    "offset": -MEANS / DEVIATIONS,
}
SPELLINGS = {
    "a difference and a product": (
        make(Sub, "x", "mean", output="d", **PLAIN),
        make(Mul, "d", "factor", output="s", **PLAIN),
    ),
    "a difference and a quotient": (
        make(Sub, "x", "mean", output="d", **PLAIN),
        make(Div, "d", "deviation", output="s", **PLAIN),
    ),
    "a product and a sum": (
        make(Mul, "factor", "x", output="d", **PLAIN),
        make(Add, "offset", "d", output="s", **PLAIN),
    ),
}


def sensors(spelling: str = "a difference and a product") -> Graph:
    """Standardized sensors with their signs turned."""
    return float_graph({"x": (1, 5)}, *SPELLINGS[spelling], make(Neg, "s"), constants=CONSTANTS)


def readings(count: int = 200) -> Array:
    drawn = np.random.default_rng(7).normal(size=(count, 1, 5)) * DEVIATIONS + MEANS
    return drawn.astype(np.float32)


def quantized(graph: Graph, samples: Array, **scheme: DType) -> Graph:
    return quantize_graph(graph, calibrate(graph, [samples], MinMax), Scheme(**scheme))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_sensor_keeps_its_share_however_the_standardization_is_spelled(spelling):
    graph, x = sensors(spelling), readings()

    prepared = prepare_for_device(read_tflite(write_tflite(quantized(graph, x)), "again"))

    assert kinds(prepared) == ["Standardize", "Neg"]
    (got,), (want,) = run_reference(prepared, [x]), run_float(graph, [x])
    error = dequantize(got, prepared.tensor(prepared.outputs[0]).per_tensor) - want
    decibels = 10 * np.log10(np.square(want).sum((0, 1)) / np.square(error).sum((0, 1)))
    assert decibels.min() > 30


@pytest.mark.parametrize("board", ["host", "mps2-an385", "mps2-an386"])
def test_the_device_takes_the_real_numbers_and_gives_the_bytes_of_the_reference(board):
    x = readings()
    beyond = np.concatenate([x, 100 * x, -100 * x])
    data = Dataset((beyond[:, 0],), None)

    result = compare_model(quantized(sensors(), x), data, load_board(board))

    assert result.mismatched_bytes == 0
    assert result.compared_bytes == beyond.size


def test_sensors_of_one_range_are_an_int8_input():
    x = np.random.default_rng(7).normal(size=(50, 1, 5)).astype(np.float32)
    constants = {name: np.ones(5, np.float32) for name in CONSTANTS}
    graph = float_graph(
        {"x": (1, 5)}, *SPELLINGS["a product and a sum"], make(Neg, "s"), constants=constants
    )

    assert quantized(graph, x).tensor("x").dtype is DType.INT8


def test_what_is_standardized_elsewhere_too_is_an_int8_input():
    graph = float_graph(
        {"x": (1, 5)},
        *SPELLINGS["a difference and a product"],
        make(Add, "s", "x", **PLAIN),
        constants=CONSTANTS,
    )

    assert quantized(graph, readings()).tensor("x").dtype is DType.INT8


def test_the_model_is_written_as_onnx_of_a_float_input():
    graph = quantized(sensors(), readings())

    assert write_onnx(graph)
    assert write_onnx(prepare_for_device(graph))
