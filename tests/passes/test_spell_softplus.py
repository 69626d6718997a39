import numpy as np
import pytest
from float_runs import assert_computes_the_same, kinds
from function_graphs import PLAIN, float_graph, make
from spelled_functions import spelled

from tinyml.evaluate.oracle import run_float
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ops.add import Add
from tinyml.ops.exp import Exp
from tinyml.ops.log import Log
from tinyml.passes.spell_softplus import spell_softplus


@pytest.mark.parametrize("name", ["softplus", "mish"])
def test_softplus_computes_what_it_did(name):
    assert_computes_the_same(spelled(name), spell_softplus(spelled(name)))


def test_softplus_of_a_large_number_is_that_number_in_a_model_that_is_read():
    graph = read_tflite(write_tflite(spelled("softplus")), "test")

    (y,) = run_float(graph, [np.array([[[-200, 0, 100, 1e5]]], np.float32)])

    np.testing.assert_allclose(y[0, 0], [0, np.log(2), 100, 1e5], rtol=1e-6)


def test_a_logarithm_of_another_sum_stays():
    two = {"two": np.array(2, np.float32)}
    graph = float_graph(
        {"x": (4,)},
        make(Exp, output="e"),
        make(Add, "e", "two", output="s", **PLAIN),
        make(Log, "s"),
        constants=two,
    )

    assert kinds(spell_softplus(graph)) == ["Exp", "Add", "Log"]
