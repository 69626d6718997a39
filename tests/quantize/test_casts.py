"""CASTs inside a quantized model give the numbers of the float one, or are refused."""

import numpy as np
import pytest
from graphs import make_graph

from tinyml.data.dataset import quantize_samples
from tinyml.errors import ModelError
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.ops.cast import Cast
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import operators
from tinyml.ops.logical_not import LogicalNot
from tinyml.ops.relu import Relu
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

INT8, INT16 = Scheme(), Scheme(activations=DType.INT16)
SHAPE = (1, 8)


def tensor(name: str, dtype: DType) -> Tensor:
    return Tensor(name, SHAPE, dtype)


def computed(dtype: DType) -> Graph:
    """What a RELU gives, cast."""
    relu = Relu(name="real", inputs=("x",), outputs=("real",), activation=Activation.RELU)
    cast = Cast(name="y", inputs=("real",), outputs=("y",), dtype=dtype)
    tensors = [tensor("x", DType.FLOAT32), tensor("real", DType.FLOAT32), tensor("y", dtype)]
    return make_graph(tensors, [relu, cast], ["x"], ["y"])


def results(graph: Graph, x: Array, scheme: Scheme) -> tuple[Array, Array]:
    """Outputs of the float model and of the quantized one, real numbers or integers."""
    quantized = quantize_graph(graph, calibrate(graph, [x], MinMax), scheme)
    for op in operators(prepare_for_device(quantized)):
        op.to_c(quantized)
    samples = quantize_samples([x], [quantized.tensor(name) for name in quantized.inputs])
    got, *_ = run_reference(quantized, samples)
    quant = quantized.tensor(quantized.outputs[0]).quant
    expected, *_ = run_float(graph, [x])
    return expected, got if quant is None else dequantize(got, quant)


def whole(low: int, high: int) -> Array:
    """Whole numbers from low to high, as floats, (N, 1, 8)."""
    numbers = np.resize(np.arange(low, high + 1), (1 + (high - low) // 8, *SHAPE))
    numbers[-1, -1, -1] = high
    return numbers.astype(np.float32)


@pytest.mark.parametrize("high", [1, 19, 127, 199, 251])
@pytest.mark.parametrize("scheme", [INT8, INT16], ids=["int8", "int16"])
def test_whole_numbers_that_are_cast_come_back(high, scheme):
    expected, got = results(computed(DType.INT32), whole(-3, high), scheme)

    assert got.dtype == np.int32
    assert np.array_equal(got, expected)


def test_more_whole_numbers_come_back_in_int16():
    expected, got = results(computed(DType.INT32), whole(0, 3000), INT16)

    assert np.array_equal(got, expected)


def test_numbers_that_int8_does_not_tell_apart_are_refused():
    with pytest.raises(ModelError, match="which reaches from 0 to 300: int8 does not tell"):
        results(computed(DType.INT32), whole(0, 300), INT8)


def test_numbers_that_are_not_whole_are_refused():
    x = whole(0, 20) + np.float32(0.25)

    with pytest.raises(ModelError, match=r"holds 0\.25 in the calibration data, expected whole"):
        results(computed(DType.INT32), x, INT8)


@pytest.mark.parametrize("scheme", [INT8, INT16], ids=["int8", "int16"])
def test_a_cast_to_bool_tells_zero_from_the_rest(scheme):
    expected, got = results(computed(DType.BOOL), whole(-9, 60) * np.float32(0.3), scheme)

    assert got.dtype == np.bool_
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("scheme", [INT8, INT16], ids=["int8", "int16"])
def test_a_cast_from_bool_gives_zero_and_one(scheme):
    invert = LogicalNot(name="not", inputs=("x",), outputs=("not",))
    cast = Cast(name="y", inputs=("not",), outputs=("y",), dtype=DType.FLOAT32)
    tensors = [tensor("x", DType.BOOL), tensor("not", DType.BOOL), tensor("y", DType.FLOAT32)]
    graph = make_graph(tensors, [invert, cast], ["x"], ["y"])

    expected, got = results(graph, whole(0, 9) % 3 > 0, scheme)

    assert np.allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("low", [-20, 0])
@pytest.mark.parametrize("high", [9, 2000])
@pytest.mark.parametrize("scheme", [INT8, INT16], ids=["int8", "int16"])
def test_integers_cast_to_real_numbers_are_the_nearest_steps_but_for_a_second_rounding(
    low, high, scheme
):
    graph = numbers_and_rows()
    x = whole(low, high).astype(np.int32)

    expected, got = results(graph, x, scheme)

    step = (high - low) / 255 if scheme is INT8 else max(-low, high) / 32767
    assert np.abs(got - expected).max() <= 0.63 * step


def numbers_and_rows() -> Graph:
    """Integers that are real numbers too, and that something else reads."""
    cast = Cast(name="y", inputs=("x",), outputs=("y",), dtype=DType.FLOAT32)
    flag = Cast(name="flag", inputs=("x",), outputs=("flag",), dtype=DType.BOOL)
    tensors = [tensor("x", DType.INT32), tensor("y", DType.FLOAT32), tensor("flag", DType.BOOL)]
    return make_graph(tensors, [cast, flag], ["x"], ["y", "flag"])
