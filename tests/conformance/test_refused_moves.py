"""Movements that do not fit their input are refused with the operator's name and the numbers."""

import numpy as np
import pytest
from modules import module_of
from single_operator import OUTPUT, SOURCE, int8_tensor, single_operator

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, QuantParams, Shape, Tensor
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.broadcast_to import BroadcastTo
from tinyml.ops.cast import Cast
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.contract.operator import Operator
from tinyml.ops.depth_to_space import DepthToSpace
from tinyml.ops.gather import Gather
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad
from tinyml.ops.pack import Pack
from tinyml.ops.padv2 import PadV2
from tinyml.ops.resize_bilinear import ResizeBilinear
from tinyml.ops.reverse_v2 import ReverseV2
from tinyml.ops.slice import Slice
from tinyml.ops.space_to_batch_nd import SpaceToBatchND
from tinyml.ops.space_to_depth import SpaceToDepth
from tinyml.ops.split import Split
from tinyml.ops.split_v import SplitV
from tinyml.ops.strided_slice import StridedSlice
from tinyml.ops.tile import Tile
from tinyml.ops.transpose import Transpose
from tinyml.ops.unpack import Unpack

QUANT = QuantParams.per_tensor(0.1, 3)
ONE = {"name": "op", "inputs": (SOURCE,), "outputs": (OUTPUT,)}
TWO = {"name": "op", "inputs": (SOURCE,), "outputs": (OUTPUT, "second")}
WITH = {"name": "op", "inputs": (SOURCE, "other"), "outputs": (OUTPUT,)}
CORNERS = {"align_corners": False, "half_pixel_centers": False}
SQUARE = ((1, 1), (1, 1))


def refuse(op: Operator, shape: Shape, said: str, *others: Tensor) -> None:
    with pytest.raises(ModelError, match=rf"^{op.opcodes[0]} 'op': .*{said}"):
        single_operator(op, [int8_tensor(SOURCE, shape, QUANT), *others], QUANT)


MISFITS: tuple[tuple[Operator, Shape, str], ...] = (
    (Slice(**ONE, begin=(0, 2), size=(2, 3)), (2, 4), "reach outside"),
    (Slice(**ONE, begin=(0,), size=(2,)), (2, 4), "do not fit"),
    (Slice(**ONE, begin=(0, 0), size=(0, 4)), (2, 4), r"would have the shape \(0, 4\)"),
    (StridedSlice(**ONE, begin=(0,), end=(2,), strides=(0,)), (4,), "strides .* do not fit"),
    (StridedSlice(**ONE, begin=(3,), end=(2,), strides=(1,)), (4,), r"the shape \(0,\)"),
    (
        StridedSlice(**ONE, begin=(4,), end=(5,), strides=(1,), shrink_axis_mask=1),
        (4,),
        "index 4 is outside a dimension of 4",
    ),
    (Transpose(**ONE, permutation=(0, 0)), (2, 4), "does not order"),
    (Split(**TWO, axis=1), (2, 5), "does not split into 2 equal parts"),
    (SplitV(**TWO, axis=1, part_sizes=(2, 2)), (2, 5), r"parts of \(2, 2\)"),
    (Unpack(**TWO, axis=1), (2, 5), "does not unpack into 2"),
    (ReverseV2(**ONE, axes=(2,)), (2, 5), "axes .* do not fit"),
    (BroadcastTo(**ONE, shape=(2, 4)), (2, 5), "cannot be broadcast"),
    (Tile(**ONE, multiples=(2,)), (2, 5), "do not fit"),
    (Tile(**ONE, multiples=(2, 0)), (2, 5), "do not fit"),
    (
        MirrorPad(**ONE, paddings=((0, 0), (5, 0)), mode=MirrorMode.REFLECT),
        (2, 5),
        "wider than the elements",
    ),
    (DepthToSpace(**ONE, block_size=2), (1, 2, 2, 6), "no blocks of size 2"),
    (SpaceToDepth(**ONE, block_size=2), (1, 2, 3, 4), "no blocks of size 2"),
    (SpaceToDepth(**ONE, block_size=0), (1, 2, 2, 4), "no blocks of size 0"),
    (SpaceToBatchND(**ONE, block=(2, 2), borders=SQUARE), (1, 2, 3, 1), "do not fit"),
    (BatchToSpaceND(**ONE, block=(2, 2), borders=SQUARE), (4, 1, 1, 1), "do not fit"),
    (BatchToSpaceND(**ONE, block=(2, 2), borders=SQUARE), (3, 4, 4, 1), "do not fit"),
    (ResizeBilinear(**ONE, size=(0, 4), **CORNERS), (1, 2, 2, 1), "at least one pixel"),
    (ResizeBilinear(**ONE, size=(4, 4), **CORNERS), (2, 2, 1), "expected 4 dimensions"),
    (
        ResizeBilinear(**ONE, size=(4, 4), align_corners=True, half_pixel_centers=True),
        (1, 2, 2, 1),
        "exclude each other",
    ),
)


@pytest.mark.parametrize(
    ("op", "shape", "said"), MISFITS, ids=[f"{op.opcodes[0]} {said}" for op, _, said in MISFITS]
)
def test_what_does_not_fit_the_input_is_refused(op, shape, said):
    refuse(op, shape, said)


@pytest.mark.parametrize("index", [-1, 5])
def test_a_constant_index_outside_the_input_is_refused(index):
    indices = Tensor("other", (1,), DType.INT32, data=np.array([index], np.int32))

    refuse(Gather(**WITH, axis=0, batch_dims=0), (5,), "outside a dimension of 5", indices)


def test_indices_computed_at_run_time_must_be_int32():
    indices = Tensor("other", (2,), DType.INT64)
    op = Gather(**WITH, axis=0, batch_dims=0)
    graph = single_operator(op, [int8_tensor(SOURCE, (5,), QUANT), indices], QUANT)

    with pytest.raises(ModelError, match="'other' are int64, expected int32"):
        module_of(graph, "refused", PORTABLE, cmsis_nn=5)


def test_tensors_of_different_shapes_do_not_stack():
    refuse(Pack(**WITH, axis=0), (5,), "do not stack", int8_tensor("other", (4,), QUANT))


def test_a_padding_value_computed_at_run_time_is_refused():
    op = PadV2(**WITH, paddings=((1, 1),))

    refuse(op, (5,), "expected a constant", int8_tensor("other", (1,), QUANT))


def test_an_image_that_the_rounded_scale_overshoots_is_refused():
    op = ResizeBilinear(**ONE, size=(1, 3000), **CORNERS)
    graph = single_operator(op, [int8_tensor(SOURCE, (1, 1, 2000, 1), QUANT)], QUANT)

    with pytest.raises(ModelError, match="reaches beyond the last pixel"):
        module_of(graph, "refused", PORTABLE, cmsis_nn=5)


def test_a_cast_to_float_is_refused():
    op = Cast(**ONE, dtype=DType.FLOAT32)
    graph = single_operator(op, [int8_tensor(SOURCE, (5,), QUANT)], None)

    with pytest.raises(ModelError, match=r"CAST 'op': .* use QUANTIZE or DEQUANTIZE"):
        module_of(graph, "refused", PORTABLE, cmsis_nn=5)
