from dataclasses import replace

import numpy as np
import pytest
from graphs import activation, add, float_constant, make_graph, relu

from tinyml.ir.graph import Graph
from tinyml.ops.contract.activation import Activation
from tinyml.passes.drop_zero_sums import drop_zero_sums


def summed(values=(0.0,) * 4, fused: Activation = Activation.NONE, *, swapped=False) -> Graph:
    """x and a constant, and a ReLU of their sum."""
    tensors = [
        activation("x", (1, 4), None),
        float_constant("c", np.reshape(values, (-1, 4))),
        activation("sum", (max(1, len(values) // 4), 4), None),
        activation("y", (max(1, len(values) // 4), 4), None),
    ]
    operands = ("c", "x") if swapped else ("x", "c")
    return make_graph(tensors, [add("sum", *operands, fused), relu("y", "sum")], ["x"], ["y"])


@pytest.mark.parametrize("swapped", [False, True])
def test_a_sum_with_zeros_is_the_other_operand(swapped):
    dropped = drop_zero_sums(summed(swapped=swapped))

    assert [(op.inputs, op.outputs) for op in dropped.ops] == [(("x",), ("y",))]
    assert set(dropped.tensors) == {"x", "y"}


@pytest.mark.parametrize(
    "graph",
    [
        summed((0.0, 0.0, 1.0, 0.0)),
        summed((0.0,) * 8),
        summed(fused=Activation.RELU6),
        replace(summed(), outputs=("y", "sum")),
    ],
    ids=["not all zero", "broadcast", "an activation", "an output"],
)
def test_other_sums_stay(graph):
    assert drop_zero_sums(graph) is graph
