"""What converters of 2019 and 2020 wrote for TFLite Micro: int16 in, int8 inside, int32 out."""

from dataclasses import replace

import numpy as np
import pytest
from graphs import (
    activation,
    fully_connected,
    int8_weights,
    int32_bias,
    make_graph,
    relu,
    spread,
)

from tinyml.errors import ModelError
from tinyml.evaluate.oracle import Oracles
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.ops.quantize import Quantize
from tinyml.ops.softmax import Softmax
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import TFLITE_MICRO


def requantize(output: str, source: str, dtype: DType) -> Quantize:
    return Quantize(name=output, inputs=(source,), outputs=(output,), dtype=dtype)


def old_model(*, softmax: bool, scale: float = 1 / 65535) -> Graph:
    """int16 in; int8 inside; int32 out, made of int8 or of a SOFTMAX's int16."""
    weights = int8_weights("w", (4, 6), None)
    tensors = [
        Tensor("x", (1, 6), DType.INT16, QuantParams.per_tensor(0.000625, 0)),
        activation("in", (1, 6), 0.08, 3),
        weights,
        int32_bias("b", 0.08, weights, 4),
        activation("fc", (1, 4), 0.07, 2),
        Tensor("p", (1, 4), DType.INT16, QuantParams.per_tensor(scale, -32768)),
        Tensor("y", (1, 4), DType.INT32, QuantParams.per_tensor(1 / 32767, 0)),
    ]
    ops = [requantize("in", "x", DType.INT8), fully_connected("fc", "in", "w", "b")]
    if softmax:
        ops.append(Softmax(name="p", inputs=("fc",), outputs=("p",), beta=1.0, widens=True))
    ops.append(requantize("y", "p" if softmax else "fc", DType.INT32))
    return make_graph(tensors, ops, ["x"], ["y"]).pruned()


@pytest.mark.parametrize("softmax", [False, True])
def test_such_a_model_is_read(softmax):
    graph = old_model(softmax=softmax)

    assert read_tflite(write_tflite(graph), "hand_made") == graph


@pytest.mark.parametrize("softmax", [False, True])
def test_its_outputs_are_the_real_numbers_that_its_int8_stands_for(softmax):
    graph = prepare_for_device(old_model(softmax=softmax))
    x = spread((16, 1, 6)).astype(np.int16) * 200

    (y,) = Oracles(graph).run([x])

    inner = replace(graph, ops=graph.ops[:2], outputs=("fc",))
    (fc,) = Oracles(inner.pruned()).run([x])
    real = dequantize(fc, graph.tensor("fc").quant)
    if softmax:
        powers = np.exp(real)
        real = powers / powers.sum(axis=-1, keepdims=True)
    assert y.dtype == np.int32
    np.testing.assert_allclose(dequantize(y, graph.tensor("y").quant), real, atol=1e-3)


def test_the_oracle_of_int32_made_of_int8_is_tflite_micro():
    oracles = Oracles(prepare_for_device(old_model(softmax=False)))

    assert oracles.runtimes[-1] == TFLITE_MICRO
    assert TFLITE_MICRO.label in oracles.label


def test_a_softmax_to_int16_of_another_scale_is_refused():
    with pytest.raises(ModelError, match=r"SOFTMAX 'p': output 'p' must have scale 1.52587891e-05"):
        read_tflite(write_tflite(old_model(softmax=True, scale=1 / 32768)), "m")


def test_a_long_row_from_int8_to_int16_is_refused():
    tensors = [
        activation("x", (1, 512)),
        Tensor("y", (1, 512), DType.INT16, QuantParams.per_tensor(1 / 65536, -32768)),
    ]
    softmax = Softmax(name="y", inputs=("x",), outputs=("y",), beta=1.0, widens=True)
    graph = make_graph(tensors, [softmax], ["x"], ["y"])

    with pytest.raises(ModelError, match="rows of 512, expected at most 511 from int8 to int16"):
        read_tflite(write_tflite(graph), "m")


def test_operators_that_take_int16_to_be_about_0_refuse_another_zero_point():
    tensors = [
        Tensor(name, (1, 4), DType.INT16, QuantParams.per_tensor(0.1, 5)) for name in ("x", "y")
    ]
    graph = make_graph(tensors, [relu("y", "x")], ["x"], ["y"])

    with pytest.raises(ModelError, match="'x' is int16 with the zero point 5, expected 0"):
        read_tflite(write_tflite(graph), "m")


def test_int32_outputs_have_no_form_in_onnx():
    with pytest.raises(ModelError, match="QUANTIZE 'y': output is int32, which ONNX"):
        write_onnx(old_model(softmax=False))


def test_float_is_not_quantized_to_int32():
    tensors = [
        activation("x", (1, 4), None),
        Tensor("y", (1, 4), DType.INT32, QuantParams.per_tensor(0.1, 0)),
    ]
    graph = make_graph(tensors, [requantize("y", "x", DType.INT32)], ["x"], ["y"])

    with pytest.raises(ModelError, match="'x' is float32, expected int8 or int16 for int32"):
        read_tflite(write_tflite(graph), "m")
