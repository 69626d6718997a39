import numpy as np
import pytest
from graphs import activation, fully_connected, int8_weights, make_graph, spread
from references import reference_of

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.passes.multiply_computed_weights import multiply_computed_weights
from tinyml.runtime.tflite import run_tflite


def product(shape=(1, 6, 4), *, keep_num_dims=False, **fields) -> Graph:
    """Rows of x times rows of w, both computed at run time."""
    output = (*shape[:-1], 5) if keep_num_dims else (int(np.prod(shape[:-1])), 5)
    tensors = [
        activation("x", shape, 0.04, 13),
        activation("w", (5, 4), 0.02, -3),
        activation("y", output, 0.05, 23),
    ]
    op = fully_connected("y", "x", "w", keep_num_dims=keep_num_dims, **fields)
    return make_graph(tensors, [op], ["x", "w"], ["y"])


@pytest.mark.parametrize("keep_num_dims", [False, True])
def test_the_product_of_two_activations_keeps_the_bytes_of_fully_connected(keep_num_dims):
    graph = product(keep_num_dims=keep_num_dims)
    samples = [spread((3, 1, 6, 4), 1), spread((3, 5, 4), 2)]
    expected = run_tflite(write_tflite(graph), samples, reference_of(graph))

    changed = multiply_computed_weights(graph)

    assert [type(op).__name__ for op in changed.ops] == ["Reshape", "BatchMatMul", "Reshape"]
    result = run_tflite(write_tflite(changed), samples, reference_of(changed))
    np.testing.assert_array_equal(result[0], expected[0])
    assert len(np.unique(result[0])) > 20


def test_a_file_with_such_a_product_is_read():
    graph = read_tflite(write_tflite(product()), "attention")

    assert "BatchMatMul" in [type(op).__name__ for op in graph.ops]


@pytest.mark.parametrize(
    "graph",
    [
        product(activation=Activation.RELU),
        make_graph(
            [
                activation("x", (1, 4)),
                activation("w", (5, 4)),
                Tensor("b", (5,), DType.INT32, QuantParams.per_tensor(0.01, 0), np.ones(5, "i4")),
                activation("y", (1, 5)),
            ],
            [fully_connected("y", "x", "w", "b")],
            ["x", "w"],
            ["y"],
        ),
    ],
    ids=["an activation", "a bias"],
)
def test_a_product_with_more_to_do_is_refused_by_its_weights(graph):
    with pytest.raises(ModelError, match="weights 'w' must be a constant of 2 dimensions"):
        read_tflite(write_tflite(graph), "m")


def test_constant_weights_stay():
    tensors = [activation("x", (1, 4)), int8_weights("w", (5, 4), None), activation("y", (1, 5))]
    graph = make_graph(tensors, [fully_connected("y", "x", "w")], ["x"], ["y"])

    assert multiply_computed_weights(graph) is graph
