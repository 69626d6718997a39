from dataclasses import replace

import pytest
from float_runs import assert_computes_the_same, kinds
from graphs import activation, add, make_graph, max_pool_2d, relu, reshape, softmax

from tinyml.ir.graph import Graph, QuantParams
from tinyml.ops.contract.activation import Activation
from tinyml.passes.fuse_activation import fuse_activation

KINDS = [Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1]


def summed(kind: Activation = Activation.RELU, fused: Activation = Activation.NONE) -> Graph:
    """A ReLU of x + x."""
    tensors = [activation(name, (1, 4), None) for name in ("x", "sum", "y")]
    return make_graph(tensors, [add("sum", "x", "x", fused), relu("y", "sum", kind)], ["x"], ["y"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_relu_goes_into_the_operator_before_it(kind):
    graph = summed(kind)

    fused = fuse_activation(graph)

    assert [(op.name, op.outputs, op.activation) for op in fused.ops] == [("y", ("y",), kind)]
    assert_computes_the_same(graph, fused)


def test_a_relu_goes_through_a_reshape():
    tensors = [
        *(activation(name, (1, 4), None) for name in ("x", "sum")),
        *(activation(name, (2, 2), None) for name in ("r", "y")),
    ]
    ops = [add("sum", "x", "x"), reshape("r", "sum", (2, 2)), relu("y", "r")]
    graph = make_graph(tensors, ops, ["x"], ["y"])

    fused = fuse_activation(graph)

    assert kinds(fused) == ["Add", "Reshape"]
    assert fused.ops[0].activation is Activation.RELU
    assert_computes_the_same(graph, fused)


def without_activation() -> Graph:
    graph = summed()
    return replace(graph, ops=(softmax("sum", "x"), graph.ops[1]))


def with_scale() -> Graph:
    graph = summed()
    return graph.with_tensors(replace(graph.tensor("sum"), quant=QuantParams.per_tensor(0.1, 0)))


@pytest.mark.parametrize(
    "graph",
    [
        summed(fused=Activation.RELU6),
        replace(summed(), outputs=("y", "sum")),
        replace(summed(), ops=(summed().ops[0], add("y", "sum", "sum"))),
        without_activation(),
        with_scale(),
    ],
    ids=["one is there", "an output", "no relu", "takes none", "a scale between"],
)
def test_other_operators_stay(graph):
    assert fuse_activation(graph) == graph


def test_a_relu_of_an_input_stays():
    tensors = [activation(name, (1, 4, 4, 2), None) for name in ("x", "r")]
    tensors.append(activation("y", (1, 2, 2, 2), None))
    graph = make_graph(tensors, [relu("r", "x"), max_pool_2d("y", "r")], ["x"], ["y"])

    assert fuse_activation(graph) == graph
