"""Sizes that a file's signatures leave open follow from the operators and a batch of 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from graphs import (
    activation,
    conv_2d,
    float_constant,
    float_weights,
    int8_weights,
    int32_bias,
    make_graph,
    relu,
    reshape,
    spread,
)
from test_read_tflite import patched, table

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.contract.window import Padding
from tinyml.ops.space_to_batch_nd import SpaceToBatchND
from tinyml.runtime.tflite import float_runtime, run_tflite


def dilated(scale: float | None) -> Graph:
    """What converters write for a Conv1D of dilation 2: two batches of every second step."""
    weights = int8_weights("w", (3, 1, 3, 2), 0) if scale else float_weights("w", (3, 1, 3, 2))
    bias = int32_bias("b", scale, weights, 3) if scale else float_constant("b", [1, 2, 3])
    shapes = {"x": (1, 12, 2), "cut": (2, 6, 2), "image": (2, 1, 6, 2)}
    results = {"conv": (2, 1, 4, 3), "rows": (2, 4, 3), "joined": (1, 8, 3), "y": (1, 8, 3)}
    tensors = [activation(name, shape, scale, 3) for name, shape in shapes.items()]
    tensors += [activation(name, shape, scale and 0.2) for name, shape in results.items()]
    borders = ((0, 0),)
    ops = [
        SpaceToBatchND(name="cut", inputs=("x",), outputs=("cut",), block=(2,), borders=borders),
        reshape("image", "cut", shapes["image"]),
        conv_2d("conv", "image", "w", "b", padding=Padding.VALID),
        reshape("rows", "conv", results["rows"]),
        BatchToSpaceND(
            name="joined", inputs=("rows",), outputs=("joined",), block=(2,), borders=borders
        ),
        relu("y", "joined"),
    ]
    return make_graph([*tensors, weights, bias], ops, ["x"], ["y"])


def open_batch(model: Any) -> None:
    """Leave the batch of every activation open, and store 1 for it, as converters do."""
    for tensor in model.subgraphs[0].tensors:
        if model.buffers[tensor.buffer].data is None and len(tensor.shape):
            tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)
            tensor.shape = np.array([1, *tensor.shape[1:]], np.int32)
    for operator in model.subgraphs[0].operators:  # (-1, 4, 3): the batch follows from the size
        if isinstance(operator.builtinOptions, schema.ReshapeOptionsT):
            shape = model.subgraphs[0].tensors[operator.inputs[1]]
            sizes = model.buffers[shape.buffer].data.view(np.int32).copy()
            sizes[0] = -1
            model.buffers[shape.buffer].data = sizes.view(np.uint8)


@pytest.mark.parametrize("scale", [None, 0.05])
def test_a_dilated_convolution_of_an_open_batch_is_read_with_the_batches_it_has(scale):
    graph = dilated(scale)

    assert read_tflite(patched(graph, open_batch), "hand_made") == graph


def test_it_computes_what_the_runtime_makes_of_the_file():
    data = patched(dilated(None), open_batch)
    x = spread((4, 1, 12, 2)).astype(np.float32)

    graph = read_tflite(data, "m")

    runtime = float_runtime(graph)
    both = (run_tflite(model, [x], runtime)[0] for model in (data, write_tflite(graph)))
    np.testing.assert_array_equal(*both)


def test_a_batch_that_is_stored_as_another_number_is_one_sample():
    def change(model):
        for tensor in model.subgraphs[0].tensors:
            tensor.shapeSignature = np.array([-1, 4], np.int32)
            tensor.shape = np.array([8, 4], np.int32)

    graph = make_graph([activation(name, (1, 4)) for name in "xy"], [relu("y", "x")], ["x"], ["y"])

    assert read_tflite(patched(graph, change), "hand_made") == graph


def opened(**signatures: list[int]) -> Callable[[Any], None]:
    def change(model):
        for name, signature in signatures.items():
            table(model, name).shapeSignature = np.array(signature, np.int32)

    return change


def test_other_sizes_that_are_open_inside_follow_from_the_operators_too():
    graph = dilated(None)
    change = opened(cut=[-1, -1, 2], conv=[-1, -1, -1, 3], y=[-1, -1, -1])

    assert read_tflite(patched(graph, change), "hand_made") == graph


def test_a_reshape_to_sizes_that_nothing_says_is_refused():
    graph = dilated(None)

    def change(model):
        opened(image=[-1, -1, -1, 2])(model)
        table(model, "image").shape = np.array([1, 1, 1, 2], np.int32)
        model.subgraphs[0].operators[1].inputs = model.subgraphs[0].operators[1].inputs[:1]

    with pytest.raises(ModelError, match=r"'image' has the dynamic shape \(\?, \?, \?, 2\)"):
        read_tflite(patched(graph, change), "m")


def test_an_inputs_other_sizes_may_not_be_open():
    with pytest.raises(ModelError, match=r"'x' has the dynamic shape \(\?, \?, 2\)"):
        read_tflite(patched(dilated(None), opened(x=[-1, -1, 2])), "m")


def test_a_stored_shape_that_is_not_open_is_held_to_what_the_operator_gives():
    def change(model):
        table(model, "cut").shapeSignature = np.array([-1, 6, 2], np.int32)
        table(model, "conv").shape = np.array([1, 1, 4, 3], np.int32)

    with pytest.raises(ModelError, match=r"'conv' float32 \(2, 1, 4, 3\), but the model declares"):
        read_tflite(patched(dilated(None), change), "m")
