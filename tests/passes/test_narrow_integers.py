"""int64 ids and indices are int32 on the device."""

import numpy as np
import pytest
from graphs import make_graph

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ir.verify import verify_float
from tinyml.ops.add import Add
from tinyml.ops.arg_extremum import ArgExtremum
from tinyml.ops.cast import Cast
from tinyml.ops.contract.activation import Activation
from tinyml.ops.gather import Gather
from tinyml.passes.narrow_integers import narrow_integers

ROWS = Tensor("table", (9, 2), DType.FLOAT32, data=np.ones((9, 2), np.float32))


def rows_of(ids: str) -> Gather:
    return Gather(name="rows", inputs=("table", ids), outputs=("rows",), axis=0, batch_dims=0)


def shifted(offset: int) -> Graph:
    """Rows of a table, by int64 ids and an offset."""
    constant = Tensor("offset", (), DType.INT64, data=np.array(offset, np.int64))
    wide = [Tensor(name, (1, 3), DType.INT64) for name in ("x", "ids")]
    add = Add(name="ids", inputs=("x", "offset"), outputs=("ids",), activation=Activation.NONE)
    tensors = [ROWS, constant, *wide, Tensor("rows", (1, 3, 2), DType.FLOAT32)]
    return make_graph(tensors, [add, rows_of("ids")], ["x"], ["rows"])


def test_ids_and_the_constants_beside_them_become_int32():
    narrow = narrow_integers(shifted(3))

    verify_float(narrow)
    assert {narrow.tensor(name).dtype for name in ("x", "ids", "offset")} == {DType.INT32}
    assert narrow.tensor("offset").constant.dtype == np.int32


def test_a_constant_that_does_not_fit_leaves_all_as_they_are():
    graph = shifted(2**31)

    assert narrow_integers(graph) is graph


@pytest.mark.parametrize("dtype", [DType.INT32, DType.INT64])
def test_an_arg_max_of_int64_becomes_one_of_int32_and_casts_between_the_two_vanish(dtype):
    arg = ArgExtremum(
        name="wide", inputs=("x",), outputs=("wide",), largest=True, axis=1, dtype=DType.INT64
    )
    cast = Cast(name="ids", inputs=("wide",), outputs=("ids",), dtype=dtype)
    tensors = [
        ROWS,
        Tensor("x", (1, 9), DType.FLOAT32),
        Tensor("wide", (1,), DType.INT64),
        Tensor("ids", (1,), dtype),
        Tensor("rows", (1, 2), DType.FLOAT32),
    ]

    narrow = narrow_integers(make_graph(tensors, [arg, cast, rows_of("ids")], ["x"], ["rows"]))

    verify_float(narrow)
    assert [type(op) for op in narrow.ops] == [ArgExtremum, Gather]
    assert narrow.tensor("wide").dtype is DType.INT32


def test_an_output_of_int64_stays_one():
    wide = [Tensor(name, (1, 3), DType.INT64) for name in ("x", "y")]
    cast = Cast(name="y", inputs=("x",), outputs=("y",), dtype=DType.INT64)
    graph = make_graph(wide, [cast], ["x"], ["y"])

    assert narrow_integers(graph) is graph
