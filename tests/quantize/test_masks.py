"""What masks scores before a SOFTMAX, which would take all of a range of eight bits."""

import numpy as np
import pytest
from graphs import activation, add, float_constant, make_graph

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.select import Select
from tinyml.ops.softmax import Softmax
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.masks import MARGIN, bound_masks

RANGES = {"x": (-4.0, 5.0), "masked": (-1e9, 5.0), "y": (0.0, 1.0)}
KEPT = np.array([[True, True, False]])


def attention(*ops, **constants) -> Graph:
    """Scores ``x``, the operators that mask them, and a SOFTMAX of ``masked``."""
    names = ["x", "y", *(op.outputs[0] for op in ops)]
    tensors = [activation(name, (1, 3), None) for name in names]
    tensors += [float_constant(name, values) for name, values in constants.items()]
    tensors.append(Tensor("kept", KEPT.shape, DType.BOOL, data=KEPT))
    softmax = Softmax(name="y", inputs=("masked",), outputs=("y",), beta=1.0)
    return make_graph(tensors, [*ops, softmax], ["x"], ["y"])


def select(*inputs: str) -> Select:
    return Select(name="masked", inputs=inputs, outputs=("masked",), by_row=False)


def bounded(graph: Graph, **ranges) -> tuple[Graph, CalibrationTable]:
    return bound_masks(graph, CalibrationTable({**RANGES, **ranges}, 1))


@pytest.mark.parametrize("mask", [-1e9, -2.4e38])
def test_a_constant_that_is_selected_in_place_of_scores_comes_near_them(mask):
    graph, table = bounded(attention(select("kept", "x", "far"), far=[mask]))

    assert table.ranges["masked"] == (-4 - MARGIN, 5)
    np.testing.assert_array_equal(graph.tensor("masked/mask").constant, [[-4 - MARGIN] * 3])
    assert "far" not in graph.tensors


def test_scores_that_are_selected_after_a_subtraction_of_a_billion_are_not_computed():
    ops = add("far", "x", "billion"), select("kept", "x", "far")

    graph, _ = bounded(attention(*ops, billion=[-1e9]), far=(-1e9 - 4, -1e9 + 5))

    assert [op.name for op in graph.ops] == ["masked", "y"]
    assert graph.ops[0].inputs == ("kept", "x", "masked/mask")


def test_a_mask_that_is_added_keeps_what_it_adds_to_other_scores():
    graph, table = bounded(attention(add("masked", "x", "m"), m=[0.0, 0.5, -1e9]))

    assert table.ranges["masked"] == (-4 - MARGIN, 5.5)
    assert graph.tensor("masked/mask").constant.tolist() == [0.0, 0.5, -4 - MARGIN - 5]


@pytest.mark.parametrize("values", [[0.0, 0.5, -20.0], [-1e9, -1e9, -1e9]])
def test_numbers_that_mask_nothing_or_everything_stay(values):
    given = attention(add("masked", "x", "m"), m=values)

    graph, table = bounded(given)

    assert (graph, table.ranges) == (given, RANGES)
