from dataclasses import replace

import pytest
from float_runs import assert_computes_the_same
from graphs import activation, float_constant, make_graph, relu, softmax

from tinyml.ir.graph import Graph
from tinyml.ops.contract.activation import Activation
from tinyml.ops.mul import Mul
from tinyml.passes.fold_softmax_beta import fold_softmax_beta


def scaled(factor=(0.25,), *, swapped=False, fused=Activation.NONE) -> Graph:
    tensors = [
        activation("x", (1, 4), None),
        float_constant("c", factor),
        *(activation(name, (1, 4), None) for name in ("product", "y")),
    ]
    inputs = ("c", "x") if swapped else ("x", "c")
    product = Mul(name="product", inputs=inputs, outputs=("product",), activation=fused)
    return make_graph(tensors, [product, softmax("y", "product")], ["x"], ["y"])


@pytest.mark.parametrize("swapped", [False, True])
def test_a_factor_becomes_beta(swapped):
    graph = scaled(swapped=swapped)

    folded = fold_softmax_beta(graph)

    assert [op.beta for op in folded.ops] == [0.25]
    assert_computes_the_same(graph, folded)


def test_a_factor_multiplies_the_beta_that_is_there():
    graph = scaled()
    graph = replace(graph, ops=(graph.ops[0], replace(graph.ops[1], beta=3.0)))

    assert fold_softmax_beta(graph).ops[0].beta == 0.75


@pytest.mark.parametrize(
    "graph",
    [
        scaled((-0.25,)),
        scaled((0.25, 0.5, 0.75, 1.0)),
        scaled(fused=Activation.RELU),
        replace(scaled(), outputs=("y", "product")),
        replace(
            scaled().with_tensors(activation("r", (1, 4), None)),
            ops=(*scaled().ops, relu("r", "product")),
            outputs=("y", "r"),
        ),
    ],
    ids=["negative", "several", "an activation", "an output", "another reader"],
)
def test_other_products_stay(graph):
    assert fold_softmax_beta(graph) == graph
