from dataclasses import replace

import numpy as np
import pytest
from float_runs import kinds
from function_graphs import PLAIN, float_graph, make
from graphs import activation
from spelled_functions import SPELLED, fused, spelled

from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.add import Add
from tinyml.ops.exp import Exp
from tinyml.ops.families.function import Function
from tinyml.ops.mul import Mul
from tinyml.ops.neg import Neg
from tinyml.ops.square import Square
from tinyml.ops.tanh import Tanh
from tinyml.passes.fuse_functions import fuse_functions
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

# Those that int8 has values fine enough for, however wide the input.
SMOOTH = sorted({*SPELLED} - {"without a value at 0", "logarithm of any number", "reciprocal root"})


def quantized(graph: Graph, samples: Array, dtype: DType = DType.INT8) -> Graph:
    table = calibrate(graph, [samples], MinMax)
    return quantize_graph(graph, table, Scheme(activations=dtype))


def decibels(graph: Graph, samples: Array) -> float:
    """Signal to error of the int8 graph, through a file and on its way to the device."""
    prepared = prepare_for_device(read_tflite(write_tflite(quantized(graph, samples)), "again"))
    source, output = (prepared.tensor(name) for name in (prepared.inputs[0], prepared.outputs[0]))
    (got,) = run_reference(prepared, [quantize(samples, source.per_tensor)])
    (want,) = run_float(graph, [samples])
    error = dequantize(got, output.per_tensor) - want
    return float(10 * np.log10(np.square(want).sum() / np.square(error).sum()))


@pytest.mark.parametrize("name", SPELLED)
def test_a_function_in_several_operators_becomes_one(name):
    graph = fuse_functions(spelled(name))

    (op,) = graph.ops
    assert isinstance(op, Function)
    assert (op.inputs, op.outputs) == (("x",), ("y",))
    assert set(graph.tensors) == {"x", "y"}


@pytest.mark.parametrize("name", SPELLED)
def test_the_one_operator_computes_what_the_runtime_makes_of_all(name):
    x = np.linspace(-5, 5, 64, dtype=np.float32).reshape(1, 1, 64)

    (expected,) = run_float(spelled(name, (1, 64)), [x])

    np.testing.assert_allclose(fused(name).in_numpy(x), expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("largest", [2, 40])
@pytest.mark.parametrize("name", SMOOTH)
def test_a_spelled_function_keeps_thirty_decibels_whatever_the_range(name, largest):
    x = np.random.default_rng(3).uniform(-largest, largest, (20, 1, 64)).astype(np.float32)

    assert decibels(spelled(name, (1, 64)), x) > 30


def test_what_else_is_read_stays_an_operator_of_its_own():
    graph = spelled("mish")

    seen = fuse_functions(replace(graph, outputs=("y", "softplus")))

    assert kinds(seen) == ["Function", "Tanh", "Mul"]
    assert seen.ops[0].outputs == ("softplus",)


def test_operators_of_two_tensors_are_left_and_what_comes_before_each_is_fused():
    graph = float_graph(
        {"x": (4,), "z": (4,)},
        make(Neg, output="a"),
        make(Exp, "a", output="b"),
        make(Add, "b", "z", output="c", **PLAIN),
        make(Tanh, "c", output="d"),
        make(Square, "d"),
    )

    seen = fuse_functions(graph)

    assert kinds(seen) == ["Function", "Add", "Function"]
    assert [op.inputs for op in seen.ops] == [("x",), ("b", "z"), ("c",)]


def test_a_constant_for_every_channel_is_no_part_of_a_function():
    channels = np.array([1, 2, 3, 4], np.float32)
    graph = float_graph(
        {"x": (2, 4)},
        make(Exp, output="e"),
        make(Mul, "e", "c", **PLAIN),
        constants={"c": channels},
    )

    assert fuse_functions(graph) == graph


def test_one_operator_is_left_alone():
    graph = float_graph({"x": (4,)}, make(Exp))

    assert fuse_functions(graph) == graph


@pytest.mark.parametrize("name", SPELLED)
def test_a_fused_function_is_written_as_its_steps_and_read_back(name):
    op = replace(fused(name), in_float=True)
    tensors = {t.name: t for t in (activation("x", (1, 4), 0.05, 3), activation("y", (1, 4), 0.1))}
    graph = Graph("test", tensors, (op,), ("x",), ("y",))

    again = prepare_for_device(read_tflite(write_tflite(graph), "test"))

    (read,) = again.ops
    assert isinstance(read, Function)
    assert np.array_equal(read.table(again), op.table(graph))


def test_in_16x8_the_operators_stay_several():
    x = np.random.default_rng(3).uniform(-2, 2, (20, 1, 4)).astype(np.float32)

    assert "Function" not in kinds(quantized(spelled("swish"), x, DType.INT16))


def test_a_logarithm_of_0_is_the_least_of_the_others_everywhere():
    graph = spelled("logarithm of any number")
    x = np.array([[[0.0, 0.5, 2.0, 4.0]]], np.float32)

    prepared = prepare_for_device(quantized(graph, x))

    least = prepared.tensor(prepared.outputs[0])
    (got,) = run_reference(prepared, [np.array([[[-128, -97, 0, 127]]], np.int8)])
    assert got[0, 0, 0] == -128
    assert dequantize(got, least.per_tensor)[0, 0, 0] == pytest.approx(np.log(0.5) / 2, abs=0.01)
