"""Constants that are computed while an ONNX model is read."""

import numpy as np
import pytest
from onnx_models import model, node
from test_onnx_import import assert_agrees, kinds, read

from tinyml.errors import ModelError

X = {"x": (1, 6, 4)}


def test_a_shape_computed_from_the_inputs_leaves_a_plain_reshape():
    constants = {"one": np.array([1]), "rest": np.array([-1])}
    nodes = [
        node("Shape", "x", "sizes"),
        node("Gather", "sizes one", "rows"),
        node("Concat", "rows rest", "shape", axis=0),
        node("Reshape", "x shape", "y"),
    ]

    graph = assert_agrees(model(nodes, X, "y", constants))

    assert kinds(graph) == {"Reshape": 1}
    assert graph.tensor("y").shape == (6, 4)


def test_arithmetic_on_constants_leaves_no_operator():
    constants = {"a": np.float32([1, 2, 3, 4]), "b": np.float32(0.5)}
    nodes = [node("Mul", "a b", "c"), node("Sqrt", "c", "d"), node("Add", "x d", "y")]

    assert kinds(assert_agrees(model(nodes, X, "y", constants))) == {"Add": 1}


def test_a_transposed_constant_is_taken_as_it_then_is():
    weights = np.arange(12, dtype=np.float32).reshape(3, 4) / 12
    nodes = [node("Transpose", "w", "t"), node("MatMul", "x t", "y")]

    assert kinds(assert_agrees(model(nodes, X, "y", {"w": weights}))) == {"FullyConnected": 1}


@pytest.mark.parametrize(
    ("op_type", "inputs", "constants"),
    [
        ("ConstantOfShape", "n", {"n": np.array([2**14, 2**14])}),
        ("Expand", "v n", {"v": np.float32([1]), "n": np.array([2**27])}),
        ("Tile", "v n", {"v": np.float32([1, 2]), "n": np.array([2**26])}),
        ("Range", "a b c", {"a": np.array(0), "b": np.array(2**40), "c": np.array(1)}),
        ("Add", "c r", {"c": np.zeros((2**14, 1), "f4"), "r": np.zeros((1, 2**14), "f4")}),
    ],
)
def test_a_constant_that_no_device_could_hold_is_refused_before_it_is_made(
    op_type, inputs, constants
):
    nodes = [node(op_type, inputs, "big"), node("Relu", "x", "y")]

    with pytest.raises(ModelError, match=f"{op_type} 'big': makes a constant of more than"):
        read(model(nodes, X, "y big", constants))
