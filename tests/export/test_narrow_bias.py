"""16x8 models whose biases are int32, as newer converters make them."""

import numpy as np
import onnxruntime
import pytest
from graphs import make_graph
from references import reference_of, references_of

from tinyml.errors import ModelError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.transpose_conv import TransposeConv
from tinyml.runtime.tflite import run_tflite

SOURCE_SCALE, WEIGHT_SCALE, OUTPUT_SCALE = 2.0**-12, 2.0**-7, 2.0**-9
NAMES = {"inputs": ("x", "w", "b"), "outputs": ("y",), "activation": Activation.NONE}
WINDOW = {"stride": (1, 1), "padding": Padding.SAME}


def quant(scale: float) -> QuantParams:
    return QuantParams.per_tensor(scale, 0)


def graph_of(op: Operator, weights: tuple[int, ...], shape: tuple[int, ...], channels: int):
    rng = np.random.default_rng(5)
    w = rng.integers(-127, 128, weights).astype(np.int8)
    b = rng.integers(-(2**20), 2**20, channels).astype(np.int32)
    tensors = [
        Tensor("x", (1, 4, 4, 6), DType.INT16, quant(SOURCE_SCALE)),
        Tensor("w", weights, DType.INT8, quant(WEIGHT_SCALE), w),
        Tensor("b", (channels,), DType.INT32, quant(SOURCE_SCALE * WEIGHT_SCALE), b),
        Tensor("y", shape, DType.INT16, quant(OUTPUT_SCALE)),
    ]
    return make_graph(tensors, [op], ["x"], ["y"])


def conv() -> Graph:
    op = Conv2D(name="y", **NAMES, **WINDOW, dilation=(1, 1))
    return graph_of(op, (5, 3, 3, 6), (1, 4, 4, 5), 5)


def transpose_conv() -> Graph:
    op = TransposeConv(name="y", **NAMES, **WINDOW, output_size=(4, 4))
    return graph_of(op, (5, 3, 3, 6), (1, 4, 4, 5), 5)


def fully_connected() -> Graph:
    op = FullyConnected(name="y", **NAMES, keep_num_dims=False)
    return graph_of(op, (5, 96), (1, 5), 5)


def samples() -> list[np.ndarray]:
    rng = np.random.default_rng(6)
    return [rng.integers(-32768, 32768, (6, 1, 4, 4, 6)).astype(np.int16)]


every_operator = pytest.mark.parametrize("make", [conv, transpose_conv, fully_connected])


@every_operator
def test_the_bias_is_written_and_read_back_as_it_was(make):
    graph = make()

    assert read_tflite(write_tflite(graph), graph.name) == graph


@every_operator
def test_every_runtime_with_the_operators_bytes_takes_the_bias_for_what_it_is(make):
    graph = make()
    first, *others = [
        run_tflite(write_tflite(graph), samples(), runtime)[0] for runtime in references_of(graph)
    ]

    for other in others:
        np.testing.assert_array_equal(other, first)
    assert np.unique(first).size > 20


@every_operator
def test_onnx_runtime_comes_within_one_step(make):
    session = onnxruntime.InferenceSession(write_onnx(make()))

    (expected,) = run_tflite(write_tflite(make()), samples(), reference_of(make()))
    got = np.stack([session.run(None, {"x": sample})[0] for sample in samples()[0]])

    assert np.abs(got.astype(np.int64) - expected).max() <= 1


def test_a_depthwise_convolution_is_refused_for_which_no_runtime_has_such_a_kernel():
    op = DepthwiseConv2D(name="y", **NAMES, **WINDOW, dilation=(1, 1), multiplier=1)

    with pytest.raises(
        ModelError, match=r"expected int64 of 6 elements, as every .*; convert the model with int64"
    ):
        verify_quantized(graph_of(op, (1, 3, 3, 6), (1, 4, 4, 6), 6))
