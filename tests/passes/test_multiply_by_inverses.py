import numpy as np
from float_runs import assert_computes_the_same, kinds
from function_graphs import PLAIN, float_graph, make

from tinyml.ops.contract.activation import Activation
from tinyml.ops.div import Div
from tinyml.ops.exp import Exp
from tinyml.passes.multiply_by_inverses import multiply_by_inverses

ROWS = {"x": (2, 3), "z": (2, 1)}


def test_a_quotient_of_two_tensors_becomes_a_product_with_the_inverse():
    fused = {"activation": Activation.RELU}
    graph = float_graph(ROWS, make(Exp, "z", output="e"), make(Div, "x", "e", **fused))

    changed = multiply_by_inverses(graph)

    assert kinds(changed) == ["Exp", "Div", "Mul"]
    assert_computes_the_same(graph, changed)


def test_a_number_over_a_tensor_and_a_tensor_over_a_number_stay():
    two = {"two": np.array(2, np.float32)}
    graph = float_graph(
        {"x": (4,)},
        make(Div, "x", "two", output="half", **PLAIN),
        make(Div, "two", "half", **PLAIN),
        constants=two,
    )

    assert multiply_by_inverses(graph) == graph
