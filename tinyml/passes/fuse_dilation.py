"""Turns a convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND into a dilated one.

That is how TensorFlow wrote dilated convolutions once. The sums are of the same products: pixels
``block`` apart, and zeros beyond the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.contract.window import Padding, Pair, Window, spatial
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.pad import Pad
from tinyml.ops.space_to_batch_nd import SpaceToBatchND

Borders = tuple[Pair, Pair]  # of height and of width: before and after


@dataclass(frozen=True, slots=True)
class _Triple:
    """What one dilated convolution replaces."""

    cut: SpaceToBatchND
    conv: Conv2D | DepthwiseConv2D
    join: BatchToSpaceND


def fuse_dilation(graph: Graph) -> Graph:
    """Fuse where nothing else reads what lies between the three and the zeros come out right."""
    for op in graph.ops:
        triple = _find(graph, op)
        borders = None if triple is None else _borders(graph, triple)
        if triple is not None and borders is not None:
            graph = _fuse(graph, triple, borders)
    return graph.pruned()


def _find(graph: Graph, op: Op) -> _Triple | None:
    if not isinstance(op, SpaceToBatchND) or graph.tensor(op.inputs[0]).dtype is not DType.INT8:
        return None
    conv = graph.only_reader(op.outputs[0])
    if not isinstance(conv, Conv2D | DepthwiseConv2D) or not _is_plain(conv, op.outputs[0]):
        return None
    join = graph.only_reader(conv.outputs[0])
    if not isinstance(join, BatchToSpaceND) or join.block != op.block or len(op.block) != 2:
        return None
    return _Triple(op, conv, join)


def _is_plain(conv: Conv2D | DepthwiseConv2D, source: str) -> bool:
    is_dense = (conv.stride, conv.dilation) == ((1, 1), (1, 1))
    return is_dense and conv.padding is Padding.VALID and conv.inputs[0] == source


def _borders(graph: Graph, triple: _Triple) -> Borders | None:
    """Zeros before and after the image that the dilated convolution is to see; None if fewer."""
    source, output = graph.tensor(triple.cut.inputs[0]), graph.tensor(triple.join.outputs[0])
    extent = replace(triple.conv.window(graph), dilation=_pair(triple.cut.block)).extent
    before = [cut - crop for (cut, _), (crop, _) in _pairs(triple)]
    sizes = zip(spatial(output.shape), extent, spatial(source.shape), before, strict=True)
    after = [out + reach - 1 - have - first for out, reach, have, first in sizes]
    if min(*before, *after) < 0:
        return None
    return (before[0], after[0]), (before[1], after[1])


def _pair(block: tuple[int, ...]) -> Pair:
    return block[0], block[1]


def _pairs(triple: _Triple) -> zip[tuple[Pair, Pair]]:
    return zip(triple.cut.borders, triple.join.borders, strict=True)


def _fuse(graph: Graph, triple: _Triple, borders: Borders) -> Graph:
    source = graph.tensor(triple.cut.inputs[0])
    dilation = _pair(triple.cut.block)
    window = replace(triple.conv.window(graph), dilation=dilation)
    padding = _scheme(window, spatial(source.shape), borders)
    ops: list[Op] = []
    if padding is None:
        pad = Pad(
            name=triple.cut.outputs[0],
            inputs=(source.name,),
            outputs=triple.cut.outputs,
            paddings=((0, 0), *borders, (0, 0)),
        )
        ops.append(pad)
        sizes = (
            sum(pair) + size for pair, size in zip(borders, spatial(source.shape), strict=True)
        )
        shape = (source.shape[0], *sizes, source.shape[3])
        graph = graph.with_tensors(replace(source, name=pad.name, shape=shape))
        source = graph.tensor(pad.name)
    ops.append(
        replace(
            triple.conv,
            name=triple.join.outputs[0],
            inputs=(source.name, *triple.conv.inputs[1:]),
            outputs=triple.join.outputs,
            dilation=dilation,
            padding=padding or Padding.VALID,
        )
    )
    place = graph.ops.index(triple.join)
    kept = (op for op in graph.ops[:place] if op is not triple.cut and op is not triple.conv)
    return replace(graph, ops=(*kept, *ops, *graph.ops[place + 1 :]))


def _scheme(window: Window, size: Pair, borders: Borders) -> Padding | None:
    """Which of TFLite's schemes pads like that."""
    for scheme in Padding:
        before, after = replace(window, padding=scheme).pads(size)
        if ((before[0], after[0]), (before[1], after[1])) == borders:
            return scheme
    return None
