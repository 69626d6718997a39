"""Ids that name no row of a table are refused before anything runs."""

import numpy as np
import pytest
from graphs import make_graph
from test_integer_inputs import ROWS, embedding, ids_as_floats

from tinyml.errors import InputError
from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.gather import Gather
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.check_ids import check_ids
from tinyml.quantize.observers import MinMax


def ids(low: int, high: int, dtype: type = np.int32) -> np.ndarray:
    return np.linspace(low, high, 16).round().astype(dtype).reshape(2, 1, 8)


def test_ids_beyond_a_table_are_refused_with_both_ranges():
    with pytest.raises(InputError) as refusal:
        calibrate(ids_as_floats(), [ids(0, 205, np.float32)], MinMax)

    assert str(refusal.value) == (
        "the data of input 'x' reach from 0 to 205, expected 0 to 199: GATHER 'rows' picks from "
        "200 rows; give the ids that the model was trained with"
    )


@pytest.mark.parametrize(("low", "high"), [(-1, 3), (0, ROWS)])
def test_ids_outside_of_a_table_are_refused(low, high):
    with pytest.raises(InputError, match="expected 0 to 199"):
        check_ids(ids_as_floats(), [ids(low, high)])


def test_negative_ids_are_taken_where_the_model_wraps_them():
    check_ids(embedding(), [ids(-ROWS, ROWS - 1)])

    with pytest.raises(InputError, match="expected -200 to 199"):
        check_ids(embedding(), [ids(-ROWS - 1, 0)])


def test_a_table_whose_rows_constants_pick_is_not_looked_at():
    rows = Tensor("ids", (2,), DType.INT32, data=np.array([1, 0], np.int32))
    ends = [Tensor("x", (1, 8), DType.FLOAT32), Tensor("y", (1, 2), DType.FLOAT32)]
    gather = Gather(name="y", inputs=("x", "ids"), outputs=("y",), axis=1, batch_dims=0)
    graph: Graph = make_graph([rows, *ends], [gather], ["x"], ["y"])

    check_ids(graph, [ids(-300, 300, np.float32)])
