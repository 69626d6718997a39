import numpy as np
import pytest
from float_runs import assert_computes_the_same, kinds
from graphs import activation, float_constant, make_graph

from tinyml.ir.graph import Graph
from tinyml.ops.contract.activation import Activation
from tinyml.ops.div import Div
from tinyml.passes.multiply_by_reciprocals import multiply_by_reciprocals


def divided(divisor=(2.0, -4.0, 0.5, 3.0), *, swapped=False) -> Graph:
    tensors = [
        activation("x", (1, 4), None),
        float_constant("c", [divisor]),
        activation("y", (1, 4), None),
    ]
    inputs = ("c", "x") if swapped else ("x", "c")
    op = Div(name="y", inputs=inputs, outputs=("y",), activation=Activation.RELU)
    return make_graph(tensors, [op], ["x"], ["y"])


def test_a_division_by_a_constant_becomes_a_product_with_its_activation():
    graph = divided()

    changed = multiply_by_reciprocals(graph)

    assert kinds(changed) == ["Mul"]
    assert changed.ops[0].activation is Activation.RELU
    assert np.array_equal(
        changed.tensor(changed.ops[0].inputs[1]).constant,
        np.float32(1) / graph.tensor("c").constant,
    )
    assert_computes_the_same(graph, changed)


@pytest.mark.parametrize("graph", [divided((1.0, 0.0, 1.0, 1.0)), divided(swapped=True)])
def test_divisions_by_zero_or_by_an_activation_stay(graph):
    assert multiply_by_reciprocals(graph) == graph
