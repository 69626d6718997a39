import numpy as np
import pytest
from float_runs import assert_computes_the_same, kinds
from function_graphs import PLAIN, float_graph, make

from tinyml.ir.graph import Graph
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.mul import Mul
from tinyml.ops.neg import Neg
from tinyml.ops.sub import Sub
from tinyml.passes.take_factors_out import take_factors_out

INPUTS = {"x": (2, 3), "m": (2, 1), "s": (3,)}


def products(*ops: Operator, second: str = "m") -> Graph:
    return float_graph(
        INPUTS,
        make(Neg, "m", output="n"),
        make(Mul, "x", "s", output="xs", **PLAIN),
        make(Mul, "s", second, output="ms", **PLAIN),
        *ops,
        constants={"b": np.array([1, 2, 3], np.float32)},
    )


@pytest.mark.parametrize(
    ("ops", "second", "expected"),
    [
        ([make(Sub, "xs", "ms", activation=Activation.RELU)], "m", ["Sub", "Mul"]),
        ([make(Add, "ms", "xs", **PLAIN)], "m", ["Add", "Mul"]),
        ([make(Add, "xs", "ms", **PLAIN)], "n", ["Sub", "Mul"]),
        (
            [make(Sub, "b", "ms", output="o", **PLAIN), make(Add, "xs", "o", **PLAIN)],
            "m",
            ["Sub", "Mul", "Add"],
        ),
        (
            [make(Add, "b", "ms", output="o", **PLAIN), make(Add, "xs", "o", **PLAIN)],
            "n",
            ["Sub", "Mul", "Add"],
        ),
    ],
)
def test_the_factor_of_two_products_is_applied_to_their_sum(ops, second, expected):
    graph = products(*ops, second=second)

    changed = take_factors_out(graph)

    assert kinds(changed) == expected
    assert_computes_the_same(graph, changed)


def test_products_of_different_factors_stay():
    graph = float_graph(
        INPUTS,
        make(Mul, "x", "s", output="xs", **PLAIN),
        make(Mul, "x", "m", output="xm", **PLAIN),
        make(Mul, "m", "m", output="mm", **PLAIN),
        make(Add, "xs", "mm", **PLAIN),
        make(Sub, "y", "xm", output="z", **PLAIN),
    )

    assert take_factors_out(graph) == graph


def test_a_product_that_something_else_reads_stays():
    graph = products(make(Sub, "xs", "ms", output="d", **PLAIN), make(Add, "d", "xs", **PLAIN))

    assert kinds(take_factors_out(graph)).count("Mul") == 2
