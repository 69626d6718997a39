import numpy as np
import pytest
from graphs import activation, conv_2d, int8_weights, int32_bias, make_graph, spread
from references import reference_of

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph
from tinyml.ops.contract.activation import Activation
from tinyml.passes.split_groups import split_groups
from tinyml.runtime.tflite import run_tflite


def grouped(channels: int = 6, *, taken: int = 2, axis: int | None = 0, outputs: int = 9) -> Graph:
    """A convolution whose weights take some of the input's channels."""
    weights = int8_weights("w", (outputs, 3, 3, taken), axis)
    tensors = [
        activation("x", (1, 5, 6, channels), 0.05, 3),
        weights,
        int32_bias("b", 0.05, weights, outputs),
        activation("y", (1, 3, 4, outputs), 0.04, -7),
    ]
    op = conv_2d("y", "x", "w", "b", activation=Activation.RELU)
    return make_graph(tensors, [op], ["x"], ["y"])


@pytest.mark.parametrize("axis", [0, None])
@pytest.mark.parametrize(("taken", "groups"), [(2, 3), (3, 2), (1, 6)])
def test_groups_computed_one_by_one_give_the_same_bytes(axis, taken, groups):
    graph = grouped(taken=taken, axis=axis, outputs=2 * groups)
    x = spread((4, 1, 5, 6, 6))
    (expected,) = run_tflite(write_tflite(graph), [x], reference_of(graph))

    split = read_tflite(write_tflite(graph), "grouped")

    kinds = [type(op).__name__ for op in split.ops]
    assert kinds == ["Split", *["Conv2D"] * groups, "Concatenation"]
    (result,) = run_tflite(write_tflite(split), [x], reference_of(split))
    np.testing.assert_array_equal(result, expected)
    assert len(np.unique(result)) > 20


def test_a_convolution_of_one_group_stays():
    graph = grouped(taken=6)

    assert split_groups(graph) is graph


@pytest.mark.parametrize("graph", [grouped(taken=4), grouped(outputs=8)])
def test_channels_that_do_not_divide_are_refused(graph):
    with pytest.raises(ModelError, match="expected all or an equal share"):
        read_tflite(write_tflite(graph), "m")
