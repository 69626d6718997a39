"""An input that is only cast becomes one of the dtype it is cast to."""

import numpy as np
import pytest
from graphs import make_graph

from tinyml.ir.graph import DType, Graph, Op, QuantParams, Shape, Tensor
from tinyml.ir.verify import verify_float
from tinyml.ops.cast import Cast
from tinyml.ops.contract.activation import Activation
from tinyml.ops.gather import Gather
from tinyml.ops.relu import Relu
from tinyml.ops.reshape import Reshape
from tinyml.passes.take_cast_inputs import take_cast_inputs

TABLE = Tensor("table", (9, 2), DType.FLOAT32, data=np.ones((9, 2), np.float32))


def tensor(name: str, dtype: DType, shape: Shape = (1, 3)) -> Tensor:
    return Tensor(name, shape, dtype)


def cast(source: str, output: str, dtype: DType) -> Cast:
    return Cast(name=output, inputs=(source,), outputs=(output,), dtype=dtype)


def rows_of(ids: str) -> Gather:
    return Gather(name="rows", inputs=("table", ids), outputs=("rows",), axis=0, batch_dims=0)


def relu_of(source: str) -> Relu:
    return Relu(name="y", inputs=(source,), outputs=("y",), activation=Activation.RELU)


def looked_up(first: list[Tensor], ops: list[Op], indices: str = "ids") -> Graph:
    tensors = [TABLE, *first, tensor("rows", DType.FLOAT32, (1, 3, 2))]
    return make_graph(tensors, [*ops, rows_of(indices)], ["x"], ["rows"])


@pytest.mark.parametrize("declared", [DType.FLOAT32, DType.INT64])
def test_ids_that_are_cast_at_once_are_integers(declared):
    tensors = [tensor("x", declared), tensor("ids", DType.INT32)]

    changed = take_cast_inputs(looked_up(tensors, [cast("x", "ids", DType.INT32)]))

    verify_float(changed)
    assert changed.ops == (rows_of("x"),)
    assert changed.tensor("x") == tensor("x", DType.INT32)


def test_ids_that_are_moved_before_they_are_cast_are_integers():
    tensors = [
        tensor("x", DType.FLOAT32, (1, 3, 1)),
        tensor("flat", DType.FLOAT32),
        tensor("ids", DType.INT32),
    ]
    flat = Reshape(name="flat", inputs=("x",), outputs=("flat",), shape=(1, 3))

    changed = take_cast_inputs(looked_up(tensors, [flat, cast("flat", "ids", DType.INT32)]))

    verify_float(changed)
    assert changed.ops == (flat, rows_of("flat"))
    assert changed.tensor("flat").dtype is DType.INT32


def test_pixels_that_are_cast_to_float_are_real_numbers():
    relu = relu_of("real")
    tensors = [tensor("x", DType.UINT8), *(tensor(name, DType.FLOAT32) for name in ("real", "y"))]
    graph = make_graph(tensors, [cast("x", "real", DType.FLOAT32), relu], ["x"], ["y"])

    changed = take_cast_inputs(graph)

    verify_float(changed)
    assert changed.ops == (relu_of("x"),)
    assert changed.tensor("x").dtype is DType.FLOAT32


def test_an_input_that_something_else_reads_stays():
    tensors = [tensor("x", DType.FLOAT32), tensor("ids", DType.INT32), tensor("y", DType.FLOAT32)]
    relu = relu_of("x")
    graph = looked_up(tensors, [cast("x", "ids", DType.INT32), relu])

    assert take_cast_inputs(graph) is graph


def test_an_input_with_a_scale_stays():
    codes = Tensor("x", (1, 3), DType.INT8, QuantParams.per_tensor(0.5, 0))
    graph = looked_up([codes, tensor("ids", DType.INT32)], [cast("x", "ids", DType.INT32)])

    assert take_cast_inputs(graph) is graph


def test_an_input_that_is_cast_to_two_dtypes_stays():
    tensors = [tensor("x", DType.FLOAT32), tensor("ids", DType.INT32), tensor("b", DType.BOOL)]
    casts = [cast("x", "ids", DType.INT32), cast("x", "b", DType.BOOL)]

    graph = looked_up(tensors, casts)

    assert take_cast_inputs(graph) is graph
