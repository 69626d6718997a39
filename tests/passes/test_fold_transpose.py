from dataclasses import replace

import numpy as np
import pytest
from float_runs import assert_computes_the_same, kinds
from graphs import activation, float_weights, fully_connected, make_graph, relu, reshape

from tinyml.ir.graph import Graph
from tinyml.ops.transpose import Transpose
from tinyml.passes.fold_transpose import fold_transpose

TO_CHANNELS_FIRST = (0, 3, 1, 2)


def flattened(permutation=TO_CHANNELS_FIRST, shape=(1, 2, 3, 4)) -> Graph:
    """An image, transposed, flattened, connected."""
    after = tuple(shape[d] for d in permutation)
    tensors = [
        activation("x", shape, None),
        activation("t", after, None),
        activation("f", (1, 24), None),
        float_weights("w", (5, 24), seed=1),
        activation("y", (1, 5), None),
    ]
    ops = [
        Transpose(name="t", inputs=("x",), outputs=("t",), permutation=permutation),
        reshape("f", "t", (1, 24)),
        fully_connected("y", "f", "w"),
    ]
    return make_graph(tensors, ops, ["x"], ["y"])


@pytest.mark.parametrize("permutation", [TO_CHANNELS_FIRST, (0, 2, 3, 1), (0, 3, 2, 1)])
def test_weights_take_the_values_in_the_order_they_are_stored_in(permutation):
    graph = flattened(permutation)

    folded = fold_transpose(graph)

    assert kinds(folded) == ["Reshape", "FullyConnected"]
    assert_computes_the_same(graph, folded)


def test_weights_that_two_layers_read_are_copied_for_one():
    graph = flattened().with_tensors(activation("g", (1, 24), None), activation("z", (1, 5), None))
    more = (reshape("g", "x", (1, 24)), fully_connected("z", "g", "w"))
    graph = replace(graph, ops=(*graph.ops, *more), outputs=("y", "z"))

    folded = fold_transpose(graph)

    assert kinds(folded).count("Transpose") == 0
    assert np.array_equal(folded.tensor("w").constant, graph.tensor("w").constant)
    assert_computes_the_same(graph, folded)


def other_reader() -> Graph:
    graph = flattened().with_tensors(activation("r", (1, 24), None))
    return replace(graph, ops=(*graph.ops, relu("r", "f")), outputs=("y", "r"))


@pytest.mark.parametrize(
    "graph",
    [
        replace(flattened(), outputs=("y", "t")),
        other_reader(),
        flattened((3, 0, 1, 2), (4, 2, 3, 1)),
    ],
    ids=["an output", "another reader", "the batch moves"],
)
def test_other_transposes_stay(graph):
    assert fold_transpose(graph) == graph
