"""Operators that move elements: their tensors share parameters, as the TFLite converter has it."""

from collections.abc import Sequence

import numpy as np
import pytest
from graphs import activation, float_constant, make_graph, relu, spread
from references import reference_of

from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.broadcast_to import BroadcastTo
from tinyml.ops.contract.operator import Operator
from tinyml.ops.depth_to_space import DepthToSpace
from tinyml.ops.gather import Gather
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad
from tinyml.ops.pack import Pack
from tinyml.ops.padv2 import PadV2
from tinyml.ops.resize_bilinear import ResizeBilinear
from tinyml.ops.resize_nearest_neighbor import ResizeNearestNeighbor
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
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite

IMAGE = (1, 4, 6, 4)
ONE = {"name": "y", "inputs": ("r",), "outputs": ("y",)}
TWO = {"name": "y", "inputs": ("r",), "outputs": ("y", "z")}
IMAGES = {"align_corners": False, "half_pixel_centers": True}

MOVES: tuple[Operator, ...] = (
    BroadcastTo(**ONE, shape=(3, *IMAGE[1:])),
    DepthToSpace(**ONE, block_size=2),
    Gather(**{**ONE, "inputs": ("r", "indices")}, axis=2, batch_dims=0),
    MirrorPad(**ONE, paddings=((0, 0), (1, 2), (2, 1), (0, 0)), mode=MirrorMode.REFLECT),
    Pack(**{**ONE, "inputs": ("r", "x")}, axis=1),
    PadV2(**{**ONE, "inputs": ("r", "value")}, paddings=((0, 0), (1, 1), (1, 1), (0, 0))),
    ResizeBilinear(**ONE, size=(7, 5), **IMAGES),
    ResizeNearestNeighbor(**ONE, size=(7, 5), **IMAGES),
    ReverseV2(**ONE, axes=(2,)),
    Slice(**ONE, begin=(0, 1, 2, 0), size=(1, 2, 3, 4)),
    SpaceToBatchND(**ONE, block=(2, 2), borders=((1, 1), (0, 2))),
    SpaceToDepth(**ONE, block_size=2),
    Split(**TWO, axis=2),
    SplitV(**TWO, axis=1, part_sizes=(1, 3)),
    StridedSlice(**ONE, begin=(0, 3), end=(1, 0), strides=(1, -2)),
    Tile(**ONE, multiples=(1, 2, 1, 3)),
    Transpose(**ONE, permutation=(0, 3, 1, 2)),
)


def float_graph(op: Operator, shape: Sequence[int] = IMAGE) -> Graph:
    """A RELU, whose range is not the input's, and then the operator."""
    indices = np.array([5, 0, 0], np.int32)
    known = [
        activation("x", shape, None),
        activation("r", shape, None),
        Tensor("indices", indices.shape, DType.INT32, data=indices),
        float_constant("value", [1.5]),
    ]
    tensors = {tensor.name: tensor for tensor in known}
    for name, spec in zip(op.outputs, op.infer(Graph("g", tensors, (), (), ())), strict=True):
        tensors[name] = Tensor(name, spec.shape, spec.dtype)
    ops: list[Op] = [relu("r", "x"), op]
    return make_graph(list(tensors.values()), ops, ["x"], op.outputs).pruned()


def images(shape: Sequence[int]) -> Array:
    return np.stack([spread(shape, seed) for seed in range(4)]).astype(np.float32) / 50


def assert_quantizes(graph: Graph) -> Graph:
    """The int8 graph answers what the float graph does, to within a step and a half."""
    x = images(graph.tensor("x").shape)
    quantized = quantize_graph(graph, calibrate(graph, [x], MinMax), Scheme())
    entry = quantized.tensor("x")
    from_float = run_tflite(write_tflite(graph), [x], reference_of(graph))
    from_int8 = run_tflite(
        write_tflite(quantized), [quantize(x, entry.quant)], reference_of(quantized)
    )
    for name, real, stored in zip(graph.outputs, from_float, from_int8, strict=True):
        quant = quantized.tensor(name).quant
        np.testing.assert_allclose(dequantize(stored, quant), real, atol=1.5 * quant.scale[0])
    return quantized


@pytest.mark.parametrize("op", MOVES, ids=lambda op: op.opcodes[0])
def test_a_float_graph_quantizes_and_its_outputs_follow_the_input(op):
    quantized = assert_quantizes(float_graph(op))

    shared = {quantized.tensor(name).quant for name in ("r", *op.outputs)}
    assert len(shared) == 1


def test_slices_and_batches_quantize_too():
    batches = BatchToSpaceND(**ONE, block=(2, 2), borders=((0, 1), (1, 0)))
    slices = Unpack(**{**TWO, "outputs": ("y", "z")}, axis=1)

    assert_quantizes(float_graph(batches, (4, 2, 3, 2)))
    assert_quantizes(float_graph(slices, (1, 2, 5)))


def test_a_padding_value_takes_the_inputs_parameters_and_widens_its_range():
    (op,) = [op for op in MOVES if isinstance(op, PadV2)]

    quantized = assert_quantizes(float_graph(op))

    value = quantized.tensor("value")
    assert value.quant == quantized.tensor("r").quant
    assert dequantize(value.constant, value.quant) == pytest.approx(1.5, abs=value.scale)


def test_integers_of_a_float_graph_stay_integers():
    (op,) = [op for op in MOVES if isinstance(op, Gather)]

    quantized = assert_quantizes(float_graph(op))

    assert quantized.tensor("indices") == float_graph(op).tensor("indices")
