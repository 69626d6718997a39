"""Operators that move elements, as ONNX: ONNX Runtime against TFLite."""

from collections.abc import Mapping

import numpy as np
import pytest
from test_onnx import assert_agrees, checked, conv, quantized
from test_onnx import make_graph as graph_of

from tinyml.errors import ModelError
from tinyml.export.onnx import write_onnx
from tinyml.ir.graph import DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.broadcast_to import BroadcastTo
from tinyml.ops.cast import Cast
from tinyml.ops.contract.operator import Operator
from tinyml.ops.depth_to_space import DepthToSpace
from tinyml.ops.gather import Gather
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad
from tinyml.ops.pack import Pack
from tinyml.ops.padv2 import PadV2
from tinyml.ops.resize_bilinear import ResizeBilinear
from tinyml.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinyml.ops.reverse_v2 import ReverseV2
from tinyml.ops.shape import ShapeOf
from tinyml.ops.slice import Slice
from tinyml.ops.space_to_batch_nd import SpaceToBatchND
from tinyml.ops.space_to_depth import SpaceToDepth
from tinyml.ops.split import Split
from tinyml.ops.split_v import SplitV
from tinyml.ops.strided_slice import StridedSlice
from tinyml.ops.tile import Tile
from tinyml.ops.transpose import Transpose
from tinyml.ops.unpack import Unpack

IMAGE: Mapping[str, Shape] = {"x": (1, 4, 6, 4)}
ONE = {"name": "y", "inputs": ("x",), "outputs": ("y",)}
TWO = {"name": "y", "inputs": ("x",), "outputs": ("y", "z")}
PAIR = {"name": "y", "inputs": ("x", "k"), "outputs": ("y",)}
LIES = {
    "corners": {"align_corners": False, "half_pixel_centers": False},
    "aligned": {"align_corners": True, "half_pixel_centers": False},
    "centers": {"align_corners": False, "half_pixel_centers": True},
}


def one(op: Operator, inputs: Mapping[str, Shape] = IMAGE) -> Graph:
    return graph_of(inputs, {}, op)


def gathered() -> Graph:
    """The operator before its output's tensor is known: indices are integers."""
    indices = Tensor("k", (3,), DType.INT32, data=np.array([5, 0, 5], np.int32))
    graph = one(Slice(**ONE, begin=(0,) * 4, size=IMAGE["x"]))
    op = Gather(**PAIR, axis=2, batch_dims=0)
    graph = graph.with_tensors(indices)
    (spec,) = op.infer(graph)
    tensors = {**graph.tensors, "y": Tensor("y", spec.shape, spec.dtype)}
    return Graph("test", tensors, (op,), ("x",), ("y",))


GRAPHS = {
    "broadcast": one(BroadcastTo(**ONE, shape=(2, 4, 6, 4))),
    "depth to space": one(DepthToSpace(**ONE, block_size=2)),
    "gather": gathered(),
    "mirror, reflected": one(
        MirrorPad(**ONE, paddings=((0, 0), (2, 1), (0, 3), (0, 0)), mode=MirrorMode.REFLECT)
    ),
    "mirror, symmetric": one(
        MirrorPad(**ONE, paddings=((0, 0), (2, 1), (0, 3), (1, 0)), mode=MirrorMode.SYMMETRIC)
    ),
    "mirror nothing": one(MirrorPad(**ONE, paddings=((0, 0),) * 4, mode=MirrorMode.REFLECT)),
    "pack": graph_of({"x": (2, 3), "k": (2, 3)}, {}, Pack(**PAIR, axis=1)),
    "pack a constant": graph_of({"x": (2, 3)}, {"k": (2, 3)}, Pack(**PAIR, axis=2)),
    "pad with a value": graph_of(
        {"x": (1, 3, 4, 2)},
        {"k": (1,)},
        PadV2(**PAIR, paddings=((0, 0), (1, 2), (0, 1), (0, 0))),
    ),
    "reverse": one(ReverseV2(**ONE, axes=(2,))),
    "slice": one(Slice(**ONE, begin=(0, 1, 2, 0), size=(1, 2, 3, 4))),
    "space to depth": one(SpaceToDepth(**ONE, block_size=2)),
    "split": one(Split(**TWO, axis=2)),
    "split, uneven": one(SplitV(**TWO, axis=1, part_sizes=(1, 3))),
    "strides": one(StridedSlice(**ONE, begin=(0, 3), end=(1, -5), strides=(1, -2))),
    "strides to the front": one(
        StridedSlice(**ONE, begin=(0, 3), end=(1, 0), strides=(1, -2), end_mask=2)
    ),
    "ellipsis, new and shrunk dimensions": one(
        StridedSlice(
            **ONE,
            begin=(0, 0, 0, 2),
            end=(1, 0, 0, 3),
            strides=(1, 1, 1, 1),
            ellipsis_mask=2,
            new_axis_mask=4,
            shrink_axis_mask=9,
        )
    ),
    "tile": one(Tile(**ONE, multiples=(1, 2, 1, 3))),
    "to batches": one(SpaceToBatchND(**ONE, block=(2, 3), borders=((1, 1), (0, 3)))),
    "from batches": one(
        BatchToSpaceND(**ONE, block=(2, 2), borders=((0, 1), (1, 0))), {"x": (4, 2, 3, 2)}
    ),
    "transpose": one(Transpose(**ONE, permutation=(0, 3, 1, 2))),
    "unpack": one(Unpack(**TWO, axis=1), {"x": (1, 2, 3)}),
    **{
        f"nearest {size}, {lie}": one(ResizeNearestNeighbor(**ONE, size=size, **how))
        for size in ((8, 12), (3, 5))
        for lie, how in LIES.items()
    },
}
BILINEAR = {
    f"bilinear {size}, {lie}": one(ResizeBilinear(**ONE, size=size, **how))
    for size in ((8, 12), (7, 5))
    for lie, how in LIES.items()
}


def behind_a_convolution(op: Operator) -> Graph:
    """Where images are stored as NCHW."""
    weights = {"w": (4, 3, 3, 4), "b": (4,)}
    return graph_of({"image": (1, 4, 6, 4)}, weights, conv("image", "x"), op)


@pytest.mark.parametrize("name", GRAPHS | BILINEAR)
def test_a_float_operator_gives_what_tflite_gives(name):
    assert_agrees((GRAPHS | BILINEAR)[name])


@pytest.mark.parametrize("name", GRAPHS)
def test_an_int8_operator_gives_the_same_bytes(name):
    assert_agrees(quantized(GRAPHS[name]))


@pytest.mark.parametrize("name", BILINEAR)
def test_int8_values_between_others_are_at_most_one_step_from_tflites(name):
    assert_agrees(quantized(BILINEAR[name]), steps=1)


@pytest.mark.parametrize("name", ["depth to space", "slice", "split", "transpose", "reverse"])
def test_dimensions_are_counted_as_in_nhwc_behind_a_convolution(name):
    (op,) = GRAPHS[name].ops

    assert_agrees(quantized(behind_a_convolution(op)), steps=1)


def test_sizes_are_int32_where_the_graph_says_so():
    assert_agrees(one(ShapeOf(**ONE, dtype=DType.INT32)))


def test_integers_without_a_scale_are_cast():
    tensors = [Tensor("x", (5,), DType.INT32), Tensor("y", (5,), DType.UINT8)]
    op = Cast(**ONE, dtype=DType.UINT8)
    graph = Graph("test", {t.name: t for t in tensors}, (op,), ("x",), ("y",))

    (node,) = checked(graph).graph.node

    assert node.op_type == "Cast"


def test_numbers_as_they_are_stored_have_no_form_in_onnx_where_there_is_a_scale():
    quant = QuantParams.per_tensor(0.1, 0)
    tensors = [Tensor("x", (5,), DType.INT8, quant), Tensor("y", (5,), DType.INT32)]
    op = Cast(**ONE, dtype=DType.INT32)
    graph = Graph("test", {t.name: t for t in tensors}, (op,), ("x",), ("y",))

    with pytest.raises(ModelError, match="'x' is quantized, and ONNX would cast the real numbers"):
        write_onnx(graph)


def test_batch_dimensions_of_a_gather_have_no_form_in_onnx():
    indices = Tensor("k", (1, 2), DType.INT32, data=np.zeros((1, 2), np.int32))
    tensors = [Tensor("x", (1, 3), DType.FLOAT32), indices, Tensor("y", (1, 2), DType.FLOAT32)]
    op = Gather(**PAIR, axis=1, batch_dims=1)
    graph = Graph("test", {t.name: t for t in tensors}, (op,), ("x",), ("y",))

    with pytest.raises(ModelError, match="batch dimensions cannot be written as ONNX"):
        write_onnx(graph)
