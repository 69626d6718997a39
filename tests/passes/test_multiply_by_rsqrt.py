from dataclasses import replace

import numpy as np
import pytest
from graphs import activation, make_graph, reshape, spread

from tinyml.evaluate.oracle import run_float
from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_float
from tinyml.ops.contract.activation import Activation
from tinyml.ops.div import Div
from tinyml.ops.sqrt import Sqrt
from tinyml.passes.multiply_by_rsqrt import multiply_by_rsqrt


def divided(*divisors: str) -> Graph:
    """x divided by each of the divisors: the root of v, or that root reshaped."""
    outputs = [f"y{number}" for number in range(len(divisors))]
    tensors = [
        activation("x", (1, 4), None),
        *(activation(name, (4,), None) for name in ("v", "root")),
        activation("column", (1, 4), None),
        *(activation(name, (1, 4), None) for name in outputs),
    ]
    ops = [
        Sqrt(name="root", inputs=("v",), outputs=("root",)),
        reshape("column", "root", (1, 4)),
        *(
            Div(name=out, inputs=("x", by), outputs=(out,), activation=Activation.NONE)
            for out, by in zip(outputs, divisors, strict=True)
        ),
    ]
    graph = make_graph(tensors, ops, ["x", "v"], outputs)
    verify_float(graph)
    return graph


@pytest.mark.parametrize(
    ("divisors", "kinds"),
    [
        (("root",), ["Rsqrt", "Mul"]),
        (("column",), ["Rsqrt", "Reshape", "Mul"]),
        (("root", "root"), ["Rsqrt", "Mul", "Mul"]),
        (("column", "root"), ["Rsqrt", "Reshape", "Mul", "Mul"]),
    ],
)
def test_a_division_by_a_root_becomes_a_product(divisors, kinds):
    graph = divided(*divisors)
    samples = [spread((2, 1, 4)) / np.float32(50), np.abs(spread((2, 4), 1)) / np.float32(9)]

    changed = multiply_by_rsqrt(graph)

    verify_float(changed)
    assert [type(op).__name__ for op in changed.ops] == kinds
    for ours, theirs in zip(run_float(changed, samples), run_float(graph, samples), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_root_that_is_an_output_stays():
    graph = divided("root")

    changed = multiply_by_rsqrt(replace(graph, outputs=("y0", "root")))

    assert [type(op).__name__ for op in changed.ops] == ["Sqrt", "Rsqrt", "Mul"]


def test_a_root_with_a_scale_of_its_own_stays():
    graph = divided("root")
    scaled = replace(activation("root", (4,), 0.1), dtype=graph.tensor("root").dtype)
    graph = graph.with_tensors(scaled)

    assert multiply_by_rsqrt(graph) is graph
