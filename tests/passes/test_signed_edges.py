from dataclasses import replace

import numpy as np
import pytest
from graphs import activation, make_graph, quantize, relu, spread

from tinyml.data.dataset import quantize_samples
from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.quantize import Quantize
from tinyml.passes.signed_edges import signed_edges
from tinyml.runtime.tflite import LITERT_REFERENCE, run_tflite


def unsigned(name: str, scale: float, zero_point: int) -> Tensor:
    return Tensor(name, (1, 4), DType.UINT8, QuantParams.per_tensor(scale, zero_point))


def to_uint8(output: str, source: str) -> Quantize:
    return Quantize(name=output, inputs=(source,), outputs=(output,), dtype=DType.UINT8)


def between_uint8(*, entry: int = 131, exit_zero_point: int = 100) -> Graph:
    """A ReLU with uint8 around it, as inference_input_type and inference_output_type ask for."""
    tensors = [
        unsigned("x", 0.05, entry),
        activation("x_int8", (1, 4), 0.05, 3),
        activation("y_int8", (1, 4), 0.04, -28),
        unsigned("y", 0.04, exit_zero_point),
    ]
    ops = [quantize("x_int8", "x"), relu("y_int8", "x_int8"), to_uint8("y", "y_int8")]
    return make_graph(tensors, ops, ["x"], ["y"])


def test_uint8_edges_become_int8_of_the_same_names():
    signed = signed_edges(between_uint8())

    assert [(op.inputs, op.outputs) for op in signed.ops] == [(("x",), ("y",))]
    assert [(t.dtype, t.zero_point) for t in map(signed.tensor, "xy")] == [
        (DType.INT8, 3),
        (DType.INT8, -28),
    ]


def test_a_uint8_model_gives_its_own_values_less_128():
    file = write_tflite(between_uint8())
    samples = spread((64, 1, 4)).astype(np.int8)
    uint8 = (samples.astype(np.int16) + 128).astype(np.uint8)

    (expected,) = run_tflite(file, [uint8], LITERT_REFERENCE)
    (signed,) = run_tflite(write_tflite(read_tflite(file, "m")), [samples], LITERT_REFERENCE)

    np.testing.assert_array_equal(signed.astype(np.int16) + 128, expected)


def test_a_uint8_model_takes_the_uint8_samples_that_its_file_declares():
    file = write_tflite(between_uint8())
    uint8 = np.arange(64, dtype=np.uint8).reshape(16, 4) * 4
    (expected,) = run_tflite(file, [uint8[:, None]], LITERT_REFERENCE)
    graph = read_tflite(file, "m")

    samples = quantize_samples([uint8], [graph.tensor("x")])

    (signed,) = run_tflite(write_tflite(graph), samples, LITERT_REFERENCE)
    np.testing.assert_array_equal(signed.astype(np.int16) + 128, expected)


@pytest.mark.parametrize("graph", [between_uint8(entry=130), between_uint8(exit_zero_point=99)])
def test_a_quantize_of_uint8_that_does_more_is_refused(graph):
    with pytest.raises(ModelError, match="uint8 is supported only at the model's edge"):
        read_tflite(write_tflite(graph), "m")


def test_an_output_in_both_types_is_refused():
    graph = replace(between_uint8(), outputs=("y", "y_int8"))

    with pytest.raises(ModelError, match="uint8 is supported only at the model's edge"):
        read_tflite(write_tflite(graph), "m")


def test_a_model_of_int8_alone_stays():
    tensors = [activation("x", (1, 4)), activation("y", (1, 4))]
    graph = make_graph(tensors, [relu("y", "x")], ["x"], ["y"])

    assert signed_edges(graph) is graph
