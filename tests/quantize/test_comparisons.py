"""Comparisons inside a quantized model hold where those of the float one do."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from graphs import float_constant, make_graph
from modules import module_of

from tinyml.data.dataset import quantize_samples
from tinyml.device.run import run_on_device
from tinyml.evaluate.oracle import Oracles, run_float, run_reference
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.operator import operators
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

INT8, INT16 = Scheme(), Scheme(activations=DType.INT16)
SHAPE = (1, 50)
# Fifths from -1 to 1.
X = (np.resize(np.arange(-5, 6), (4, *SHAPE)) / 5).astype(np.float32)
every_scheme = pytest.mark.parametrize("scheme", [INT8, INT16], ids=["int8", "int16"])
every_relation = pytest.mark.parametrize("relation", Relation, ids=lambda each: each.name)


def against_constant(relation: Relation, value: float, *, first: bool = False) -> Graph:
    names = ("limit", "x") if first else ("x", "limit")
    op = Comparison(name="y", inputs=names, outputs=("y",), relation=relation)
    tensors = [
        Tensor("x", SHAPE, DType.FLOAT32),
        float_constant("limit", np.array(value, np.float32)),
        Tensor("y", SHAPE, DType.BOOL),
    ]
    return make_graph(tensors, [op], ["x"], ["y"])


def results(graph: Graph, samples: list[Array], scheme: Scheme) -> tuple[Array, Array]:
    """What the float graph says and what the quantized one does, which runs on the device."""
    quantized = prepare_for_device(quantize_graph(graph, calibrate(graph, samples, MinMax), scheme))
    for op in operators(quantized):
        op.to_c(quantized)
    inputs = [quantized.tensor(name) for name in quantized.inputs]
    run = on_this_computer if Oracles(quantized).errors else run_reference
    (got,) = run(quantized, quantize_samples(samples, inputs))
    (expected,) = run_float(graph, samples)
    return expected, got


def on_this_computer(quantized: Graph, samples: list[Array]) -> list[Array]:
    """The device's own kernels: of int16 and fine scales tflite-runtime alone has the answer."""
    host = load_board("host")
    module = module_of(quantized, "comparison", frozenset([Isa(host.isa)]))
    with TemporaryDirectory() as folder:
        build = build_firmware(module, host, Path(folder))
        return run_on_device(quantized, build, samples).outputs


@every_scheme
@every_relation
@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
@pytest.mark.parametrize("value", [-1.0, 0.0, 0.2, 1.0])
def test_numbers_that_are_a_constant_equal_it_on_any_scale(relation, scheme, scale, value):
    factor = np.float32(scale)
    graph = against_constant(relation, float(np.float32(value) * factor))

    expected, got = results(graph, [X * factor], scheme)

    assert np.array_equal(got, expected)


@every_scheme
@every_relation
@pytest.mark.parametrize("value", [-100.0, 100.0])
def test_a_constant_outside_of_what_was_seen_is_outside(relation, scheme, value):
    expected, got = results(against_constant(relation, value), [X], scheme)

    assert np.array_equal(got, expected)


@every_scheme
def test_the_constant_may_stand_first(scheme):
    expected, got = results(against_constant(Relation.LESS, 0.2, first=True), [X], scheme)

    assert np.array_equal(got, expected)


@every_scheme
@every_relation
@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
def test_two_tensors_are_compared_on_one_scale(relation, scheme, scale):
    op = Comparison(name="y", inputs=("a", "b"), outputs=("y",), relation=relation)
    reals = [Tensor(name, SHAPE, DType.FLOAT32) for name in "ab"]
    graph = make_graph([*reals, Tensor("y", SHAPE, DType.BOOL)], [op], ["a", "b"], ["y"])
    first, second = X * np.float32(scale), np.roll(X, 3, axis=2) * np.float32(scale / 2)

    expected, got = results(graph, [first, second], scheme)

    apart = np.abs(first - second) > 0.02 * scale
    assert np.array_equal(got[apart], expected[apart])
