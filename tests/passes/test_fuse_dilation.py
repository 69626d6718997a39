from dataclasses import replace

import numpy as np
import pytest
from graphs import (
    activation,
    conv_2d,
    depthwise_conv_2d,
    int8_weights,
    int32_bias,
    make_graph,
    relu,
    spread,
)
from references import reference_of

from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.contract.window import Padding, Pair
from tinyml.ops.space_to_batch_nd import SpaceToBatchND
from tinyml.passes.fuse_dilation import fuse_dilation
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import run_tflite

SCALE, ZERO_POINT = 0.05, 3
Borders = tuple[Pair, Pair]
NONE: Borders = ((0, 0), (0, 0))


def triple(
    size: Pair,
    block: Pair,
    paddings: Borders,
    crops: Borders = NONE,
    *,
    depthwise: bool = False,
    image: Pair = (8, 9),
    **fields,
) -> Graph:
    """Cut into batches, convolve, join, each step named after its output."""
    weights = int8_weights("w", (1, *size, 2) if depthwise else (3, *size, 2), 3 * depthwise)
    channels = 2 if depthwise else 3
    make = depthwise_conv_2d if depthwise else conv_2d
    ops = [
        SpaceToBatchND(name="cut", inputs=("x",), outputs=("cut",), block=block, borders=paddings),
        make("conv", "cut", "w", "b", **{"padding": Padding.VALID, **fields}),
        BatchToSpaceND(name="y", inputs=("conv",), outputs=("y",), block=block, borders=crops),
    ]
    constants = [weights, int32_bias("b", SCALE, weights, channels, seed=1)]
    return graph_of([activation("x", (1, *image, 2), SCALE, ZERO_POINT), *constants], ops, ["y"])


def graph_of(known: list[Tensor], ops: list[Op], outputs: list[str]) -> Graph:
    """Tensors between the operators are as these infer them; the convolution has its own scale."""
    tensors = {tensor.name: tensor for tensor in known}
    own = activation("own", (), 0.11, -7).quant
    for op in ops:
        (spec,) = op.infer(Graph("g", tensors, (), (), ()))
        quant = tensors["x"].quant if op.outputs[0] == "cut" else own
        tensors[op.outputs[0]] = Tensor(op.outputs[0], spec.shape, DType.INT8, quant)
    graph = make_graph(list(tensors.values()), ops, ["x"], outputs)
    verify_quantized(graph)
    return graph


def names_of(graph: Graph) -> list[str]:
    return [type(op).__name__ for op in graph.ops]


EXACT = {
    "valid": triple((3, 3), (2, 2), ((0, 0), (0, 1)), ((0, 0), (0, 1))),
    "same": triple((3, 3), (2, 2), ((2, 2), (2, 3)), ((0, 0), (0, 1))),
    "same, uneven block": triple((3, 2), (2, 3), ((2, 2), (1, 2)), ((0, 0), (0, 0))),
    "same, depthwise": triple((3, 3), (2, 2), ((2, 2), (2, 3)), ((0, 0), (0, 1)), depthwise=True),
    "borders of their own": triple((2, 2), (2, 3), ((3, 3), (0, 6)), ((1, 0), (0, 0))),
    "borders of their own, depthwise": triple(
        (2, 3), (2, 2), ((4, 2), (3, 2)), ((1, 0), (0, 0)), depthwise=True
    ),
}
SCHEMES = {"valid": Padding.VALID, "same": Padding.SAME, "same, depthwise": Padding.SAME}


@pytest.mark.parametrize("graph", EXACT.values(), ids=EXACT)
def test_the_dilated_convolution_gives_the_same_bytes(graph):
    x = np.stack([spread((1, 8, 9, 2), seed) for seed in range(20)])

    fused = fuse_dilation(graph)

    verify_quantized(fused)
    assert not {"SpaceToBatchND", "BatchToSpaceND"} & set(names_of(fused))
    before, after = (run_tflite(write_tflite(g), [x], reference_of(g))[0] for g in (graph, fused))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("name", SCHEMES)
def test_zeros_that_a_padding_scheme_brings_need_no_operator(name):
    (conv,) = fuse_dilation(EXACT[name]).ops

    assert (conv.name, conv.padding, conv.dilation) == ("y", SCHEMES[name], (2, 2))


def test_zeros_that_no_scheme_brings_are_padded():
    pad, conv = fuse_dilation(EXACT["borders of their own"]).ops

    assert pad.paddings == ((0, 0), (2, 3), (0, 6), (0, 0))
    assert (conv.padding, conv.inputs[0]) == (Padding.VALID, pad.outputs[0])


def test_it_happens_on_the_way_to_the_device():
    assert names_of(prepare_for_device(EXACT["same"])) == ["Conv2D"]


KEPT = {
    "a stride": triple((2, 2), (2, 2), ((0, 0), (0, 1)), stride=(2, 2)),
    "padding of its own": triple((3, 3), (2, 2), ((0, 0), (0, 1)), padding=Padding.SAME),
    "a dilation already": triple((2, 2), (2, 2), ((0, 2), (0, 3)), dilation=(2, 2)),
    "more cropped than padded": triple((3, 3), (2, 2), ((0, 0), (0, 1)), ((1, 0), (0, 1))),
}


@pytest.mark.parametrize("graph", KEPT.values(), ids=KEPT)
def test_what_is_no_plain_dilation_stays(graph):
    assert fuse_dilation(graph) == graph


@pytest.mark.parametrize("name", ["cut", "conv"])
def test_a_tensor_in_between_that_is_an_output_stays(name):
    graph = replace(EXACT["same"], outputs=("y", name))

    assert fuse_dilation(graph) == graph


def test_a_tensor_in_between_with_another_reader_stays():
    graph = EXACT["same"]
    other = replace(graph.tensor("cut"), name="other")
    ops = (*graph.ops, relu("other", "cut"))
    graph = replace(graph.with_tensors(other), ops=ops, outputs=("y", "other"))

    assert fuse_dilation(graph) == graph
