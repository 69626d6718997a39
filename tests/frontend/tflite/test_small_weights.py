"""Files that store weights small beside float activations are float models."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from graphs import (
    activation,
    add,
    conv_2d,
    float_constant,
    float_weights,
    int8_weights,
    make_graph,
    small_float,
    spread,
)
from test_read_tflite import patched, table

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor, is_quantized
from tinyml.numerics.affine import dequantize
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.gather import Gather
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import LITERT_REFERENCE, float_runtime, run_tflite


def dynamic_range(axis: int | None) -> Graph:
    """A convolution of int8 weights, none of them 127, over float32."""
    weights = int8_weights("w", (3, 3, 3, 2), axis)
    weights = replace(weights, data=weights.constant // 2)
    tensors = [activation("x", (1, 5, 5, 2), None), activation("y", (1, 3, 3, 3), None)]
    bias = float_constant("b", [0.5, -1, 2])
    return make_graph([*tensors, weights, bias], [conv_2d("y", "x", "w", "b")], ["x"], ["y"])


def read(graph: Graph) -> Graph:
    return read_tflite(write_tflite(graph), "m")


@pytest.mark.parametrize("axis", [None, 0])
def test_int8_weights_beside_float_activations_are_widened(axis):
    graph = read(dynamic_range(axis))

    stored = dynamic_range(axis).tensor("w")
    assert not is_quantized(graph)
    assert graph.tensor("w").dtype is DType.FLOAT32
    np.testing.assert_array_equal(
        graph.tensor("w").constant, dequantize(stored.constant, stored.quant)
    )


def quantized(graph: Graph, samples: np.ndarray, scheme: Scheme) -> Graph:
    return quantize_graph(graph, calibrate(graph, [samples], MinMax), scheme)


@pytest.mark.parametrize(("axis", "per_channel"), [(0, True), (None, True), (None, False)])
def test_quantizing_gives_back_the_files_integers_and_scales(axis, per_channel):
    samples = spread((8, 1, 5, 5, 2)).astype(np.float32)

    graph = quantized(read(dynamic_range(axis)), samples, Scheme(per_channel=per_channel))

    stored = dynamic_range(axis).tensor("w")
    np.testing.assert_array_equal(graph.tensor("w").constant, stored.constant)
    assert set(graph.tensor("w").quant.scale) == set(stored.quant.scale)


def test_scales_per_channel_do_not_count_where_one_scale_is_asked_for():
    samples = spread((8, 1, 5, 5, 2)).astype(np.float32)

    graph = quantized(read(dynamic_range(0)), samples, Scheme(per_channel=False))

    assert len(graph.tensor("w").quant.scale) == 1
    assert np.abs(graph.tensor("w").constant).max() == 127


def test_weights_that_are_no_longer_the_files_integers_get_scales_of_their_own():
    graph = read(dynamic_range(0))
    changed = replace(graph.tensor("w"), data=graph.tensor("w").constant * np.float32(1.234))
    samples = spread((8, 1, 5, 5, 2)).astype(np.float32)

    weights = quantized(graph.with_tensors(changed), samples, Scheme()).tensor("w")

    largest = np.abs(weights.constant.reshape(3, -1)).max(axis=1)
    assert largest.tolist() == [127, 127, 127]


def test_a_float_model_is_written_without_the_scales_of_its_integers():
    assert read(read(dynamic_range(0))).tensor("w").quant is None


def test_a_fully_connected_layer_of_a_float_model_may_have_them_too():
    graph = small_float().with_tensors(int8_weights("fc/w", (3, 4), 0))
    samples = spread((4, 1, 6, 6, 2)).astype(np.float32)

    widened = read(graph)

    stored = write_tflite(widened)
    (here,) = run_tflite(stored, [samples], float_runtime(widened))
    (there,) = run_tflite(stored, [samples], LITERT_REFERENCE)
    np.testing.assert_allclose(here, there, atol=1e-6)  # other kernels add in another order


def old_weights(dtype: DType, zero_point: int) -> tuple[Graph, np.ndarray]:
    """A convolution of weights about some zero point, and the real numbers that they are."""
    graph, quant = dynamic_range(None), QuantParams.per_tensor(0.01, zero_point)
    data = spread((3, 3, 3, 2), 3).astype(np.int64) // 2 + zero_point
    weights = replace(graph.tensor("w"), dtype=dtype, quant=quant, data=data.astype(dtype.numpy))
    return graph.with_tensors(weights), dequantize(weights.constant, quant)


def test_uint8_weights_are_widened_too():
    graph, real = old_weights(DType.UINT8, 128)

    np.testing.assert_array_equal(read(graph).tensor("w").constant, real)


@pytest.mark.parametrize(("dtype", "zero_point"), [(DType.INT8, 0), (DType.UINT8, 128)])
def test_quantized_weights_behind_a_dequantize_are_widened_and_keep_their_scales(dtype, zero_point):
    graph, real = old_weights(dtype, zero_point)
    stored = replace(graph.tensor("w"), name="stored")
    back = Dequantize(name="w", inputs=("stored",), outputs=("w",))
    graph = graph.with_tensors(stored, Tensor("w", stored.shape, DType.FLOAT32))

    weights = read(replace(graph, ops=(back, *graph.ops))).tensor("w")

    np.testing.assert_array_equal(weights.constant, real)
    assert weights.quant == stored.quant


def test_scales_that_are_no_numbers_are_refused():
    def change(model: Any) -> None:
        table(model, "w").quantization.scale = np.array([np.inf], np.float32)

    with pytest.raises(ModelError, match="'w' has a scale that is not a positive number"):
        read_tflite(patched(dynamic_range(None), change), "m")


def embedding(*more: str) -> Graph:
    """Rows of an int8 table, made real at once; ``more`` tensors are outputs too."""
    quant = QuantParams.per_tensor(0.02, 0)
    table = Tensor("table", (6, 4), DType.INT8, quant, spread((6, 4)))
    tensors = [
        Tensor("ids", (1, 3), DType.INT32),
        table,
        Tensor("picked", (1, 3, 4), DType.INT8, quant),
        activation("rows", (1, 3, 4), None),
        float_weights("c", (1, 3, 4)),
        activation("y", (1, 3, 4), None),
    ]
    ops = [
        Gather(name="picked", inputs=("table", "ids"), outputs=("picked",), axis=0, batch_dims=0),
        Dequantize(name="rows", inputs=("picked",), outputs=("rows",)),
        add("y", "rows", "c"),
    ]
    return make_graph(tensors, ops, ["ids"], ["y", *more])


def test_an_int8_table_whose_rows_are_made_real_at_once_is_widened():
    ids = np.array([[[0, 5, 2]], [[1, 1, 3]]], np.int32)

    graph = read(embedding())

    assert [type(op).__name__ for op in graph.ops] == ["Gather", "Add"]
    assert not is_quantized(graph)
    both = (run_tflite(write_tflite(g), [ids], LITERT_REFERENCE)[0] for g in (embedding(), graph))
    np.testing.assert_array_equal(*both)


def test_a_table_of_a_model_that_is_int8_beside_it_stays():
    graph = embedding()
    tensors = [activation("q", (1, 3, 4)), activation("z", (1, 3, 4), None)]
    other = Dequantize(name="z", inputs=("q",), outputs=("z",))
    mixed = replace(
        graph.with_tensors(*tensors),
        ops=(*graph.ops, other),
        inputs=("ids", "q"),
        outputs=("y", "z"),
    )

    assert [type(op).__name__ for op in read(mixed).ops] == [type(op).__name__ for op in mixed.ops]
