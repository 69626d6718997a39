"""How moves become calls of the copy kernel; what they move is held to the oracle elsewhere."""

import numpy as np
import pytest
from graphs import activation, make_graph

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, Shape, Tensor
from tinyml.ops.broadcast_to import BroadcastTo
from tinyml.ops.contract.operator import Operator
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad
from tinyml.ops.pack import Pack
from tinyml.ops.reverse_v2 import ReverseV2
from tinyml.ops.slice import Slice
from tinyml.ops.space_to_batch_nd import SpaceToBatchND
from tinyml.ops.split import Split
from tinyml.ops.strided_slice import StridedSlice
from tinyml.ops.tile import Tile
from tinyml.ops.transpose import Transpose

ONE = {"name": "y", "inputs": ("x",), "outputs": ("y",)}


def graph_of(op: Operator, shape: Shape) -> Graph:
    source = activation("x", shape, 0.1, 5)
    specs = op.infer(make_graph([source], [], ["x"], []))
    outputs = [
        Tensor(name, spec.shape, spec.dtype, source.quant)
        for name, spec in zip(op.outputs, specs, strict=True)
    ]
    return make_graph([source, *outputs], [op], ["x"], op.outputs)


def calls_of(op: Operator, shape: Shape) -> list[tuple[str, dict]]:
    """Function and parameters of every call."""
    calls = op.to_c(graph_of(op, shape)).calls
    return [(call.function, getattr(call.arguments[0], "fields", {})) for call in calls]


def only_copy(op: Operator, shape: Shape) -> dict:
    ((function, params),) = calls_of(op, shape)
    assert function == "tinyml_copy"
    return params


def dimensions(params: dict) -> list[tuple[int, int, int]]:
    """Size, input step and output step of those dimensions that there are."""
    columns = (params[name] for name in ("sizes", "input_steps", "output_steps"))
    return [row for row in zip(*columns, strict=True) if row != (1, 0, 0)]


def test_a_block_of_neighbours_is_one_run():
    params = only_copy(Slice(**ONE, begin=(1, 0, 0), size=(2, 4, 5)), (3, 4, 5))

    assert (params["input_offset"], params["output_offset"], params["run"]) == (20, 0, 40)
    assert dimensions(params) == []


def test_dimensions_that_go_on_in_step_are_one():
    params = only_copy(Slice(**ONE, begin=(0, 0, 0, 1), size=(2, 3, 4, 2)), (2, 3, 4, 5))

    assert params["run"] == 2
    assert dimensions(params) == [(24, 5, 2)]


def test_moving_a_dimension_of_size_1_is_one_run():
    params = only_copy(Transpose(**ONE, permutation=(0, 3, 1, 2)), (1, 6, 7, 1))

    assert params["run"] == 42
    assert dimensions(params) == []


def test_a_reversed_dimension_starts_at_its_last_element_and_steps_back():
    params = only_copy(ReverseV2(**ONE, axes=(1,)), (2, 4, 3))

    assert (params["input_offset"], params["run"]) == (9, 3)
    assert dimensions(params) == [(2, 12, 12), (4, -3, 3)]


def test_a_broadcast_dimension_does_not_step():
    params = only_copy(BroadcastTo(**ONE, shape=(5, 3)), (1, 3))

    assert (params["run"], dimensions(params)) == (3, [(5, 0, 3)])


def test_a_stride_steps_over_elements():
    op = StridedSlice(**ONE, begin=(1,), end=(8,), strides=(3,))

    params = only_copy(op, (9,))

    assert (params["input_offset"], params["run"]) == (1, 1)
    assert dimensions(params) == [(3, 3, 1)]


def test_every_output_of_a_split_is_a_call():
    op = Split(name="y", inputs=("x",), outputs=("y", "z"), axis=1)

    calls = calls_of(op, (2, 6))

    assert [params["input_offset"] for _, params in calls] == [0, 3]
    pointers = [call.arguments[2].name for call in op.to_c(graph_of(op, (2, 6))).calls]
    assert pointers == ["y", "z"]


def test_tiles_are_copied_from_the_output_in_ever_longer_runs():
    op = Tile(**ONE, multiples=(3, 2))

    runs = [params["run"] for _, params in calls_of(op, (4, 5))]

    assert runs == [5, 5, 40]
    sources = [call.arguments[1].name for call in op.to_c(graph_of(op, (4, 5))).calls]
    assert sources == ["x", "y", "y"]


def test_only_borders_that_are_there_are_mirrored():
    op = MirrorPad(**ONE, paddings=((0, 0), (2, 0)), mode=MirrorMode.REFLECT)

    assert len(calls_of(op, (3, 4))) == 2


def test_borders_of_batches_are_filled_with_the_zero_point_first():
    op = SpaceToBatchND(**ONE, block=(2,), borders=((1, 0),))

    fill, *copies = op.to_c(graph_of(op, (1, 3, 1))).calls

    assert (fill.function, fill.arguments[1:]) == ("tinyml_fill", (5, 4))
    assert [copy.function for copy in copies] == ["tinyml_copy"] * 2


def test_more_separate_dimensions_than_the_kernel_takes_are_refused():
    op = Transpose(**ONE, permutation=tuple(reversed(range(7))))

    with pytest.raises(ModelError, match="along 7 separate dimensions, expected at most 6"):
        calls_of(op, (2,) * 7)


def test_constants_are_moved_at_build_time():
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    constant = Tensor("x", data.shape, activation("x", (), None).dtype, data=data)
    graph = make_graph([constant], [], [], [])

    (tiled,) = Tile(**ONE, multiples=(2, 2)).fold(graph)
    (padded,) = MirrorPad(**ONE, paddings=((1, 1), (2, 0)), mode=MirrorMode.REFLECT).fold(graph)

    np.testing.assert_array_equal(tiled, np.tile(data, (2, 2)))
    np.testing.assert_array_equal(padded, np.pad(data, ((1, 1), (2, 0)), mode="reflect"))


def test_constants_without_elements_are_moved_too():
    empty = Tensor("x", (0,), DType.INT32, data=np.zeros(0, np.int32))
    op = Pack(name="y", inputs=("x", "x"), outputs=("y",), axis=0)

    (packed,) = op.fold(make_graph([empty], [], [], []))

    assert (packed.shape, packed.dtype) == ((2, 0), np.int32)
