"""Layers with weights."""

from dataclasses import replace

from draw import weighted as cases
from single_operator import INT8_DEVIATION, OUTPUT, SOURCE

from layers.place import Layer, Place, layer_of, one, unary
from tinyml.ir.graph import DType, QuantParams, Shape, Tensor
from tinyml.ops.batch_matmul import BatchMatMul
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.transpose_conv import TransposeConv


def conv_2d(place: Place) -> Layer | None:
    draw, shape = place.draw, place.shape
    if not place.is_image:
        return None
    size = draw.one_of((1, 1), (3, 3), (1, draw.integer(1, 5)), draw.shape(2, 4))
    dilated = draw.chance(1 / 6)
    op = Conv2D(
        **cases.names(bias=draw.chance(3 / 4)),
        name=OUTPUT,
        stride=(1, 1) if dilated or draw.chance(2 / 3) else draw.shape(2, 3),
        dilation=draw.shape(2, 2) if dilated else (1, 1),
        padding=draw.padding(),
        activation=place.activation(),
    )
    filters = draw.one_of(shape[3], draw.integer(1, 12))
    return _layer(place, op, (filters, *size, shape[3]), 0, size[0] * size[1] * shape[3])


def depthwise_conv_2d(place: Place) -> Layer | None:
    draw, shape = place.draw, place.shape
    if not place.is_image:
        return None
    multiplier = draw.one_of(1, 1, 1, draw.integer(2, 4))
    size = draw.one_of((3, 3), draw.shape(2, 4))
    dilated = draw.chance(1 / 6)
    op = DepthwiseConv2D(
        **cases.names(bias=draw.chance(3 / 4)),
        name=OUTPUT,
        stride=(1, 1) if dilated or draw.chance(2 / 3) else draw.shape(2, 2),
        dilation=draw.shape(2, 2) if dilated else (1, 1),
        padding=draw.padding(),
        multiplier=multiplier,
        activation=place.activation(),
    )
    return _layer(place, op, (1, *size, shape[3] * multiplier), 3, size[0] * size[1])


def transpose_conv(place: Place) -> Layer | None:
    """To one of the sizes from which a convolution of that stride gives the source's."""
    draw, shape = place.draw, place.shape
    if not place.is_image:
        return None
    size, stride, padding = draw.shape(2, 4), draw.shape(2, 3), draw.padding()
    filters = draw.integer(1, 8)
    # No oracle has it in int16 (docs/numerics.md).
    is_active = draw.chance(1 / 4) and place.source.dtype is DType.INT8
    windows = zip(shape[1:3], size, stride, strict=True)
    op = TransposeConv(
        **cases.names(bias=draw.chance(2 / 3)),
        name=OUTPUT,
        output_size=tuple(
            (length - 1) * step + draw.integer(1, step) + (0 if padding is Padding.SAME else k - 1)
            for length, k, step in windows
        ),
        stride=stride,
        padding=padding,
        activation=place.activation() if is_active else Activation.NONE,
    )
    taps = max(1, size[0] * size[1] * shape[3] // (stride[0] * stride[1]))
    return _layer(place, op, (filters, *size, shape[3]), 0, taps)


def fully_connected(place: Place) -> Layer | None:
    draw, shape = place.draw, place.shape
    keep = len(shape) > 1 and draw.chance(1 / 3)
    op = FullyConnected(
        **cases.names(bias=draw.chance(3 / 4)),
        name=OUTPUT,
        keep_num_dims=keep,
        activation=place.activation(),
    )
    depth = shape[-1] if keep or draw.chance(1 / 2) else place.source.size
    return _layer(place, op, (draw.integer(1, 24), depth), 0, depth)


def batch_matmul(place: Place) -> Layer | None:
    """With a tensor of the network that fits, or with a constant."""
    draw, shape = place.draw, place.shape
    if len(shape) < 2:
        return None
    adj_x, adj_y = draw.chance(1 / 3), draw.chance(1 / 2)
    *batches, rows, depth = shape
    if adj_x:
        rows, depth = depth, rows
    matrix = [draw.integer(1, 8), depth] if adj_y else [depth, draw.integer(1, 8)]
    fitting = [t for t in place.others if _fits(t, place.source, depth, adj_y=adj_y)]
    constant = place.constant("right", (*batches, *matrix), place.rescaled())
    right = draw.one_of(*fitting) if fitting and draw.chance(2 / 3) else constant
    op = BatchMatMul(**unary(adj_x=adj_x, adj_y=adj_y) | {"inputs": (SOURCE, right.name)})
    spread = INT8_DEVIATION**2 * place.steps * depth**0.5
    quant = place.scaled(place.source.scale * right.scale * spread / 40)
    return one(op, quant, *([constant] if right is constant else []))


def _fits(tensor: Tensor, source: Tensor, depth: int, *, adj_y: bool) -> bool:
    """Whether it is a right matrix of ``depth`` in as many batches."""
    alike = (len(tensor.shape), tensor.dtype) == (len(source.shape), source.dtype)
    if not alike or tensor.shape[:-2] != source.shape[:-2]:
        return False
    return tensor.shape[-1 if adj_y else -2] == depth


def _layer(place: Place, op: Operator, weights: Shape, axis: int, taps: int) -> Layer:
    """Take weights and bias of a conformance case, brought to the source's own scale."""
    graph = cases.weighted_graph(
        place.draw,
        op,
        place.shape,
        weights,
        channel_axis=axis,
        per_channel=weights[axis] > 1 and place.draw.chance(2 / 3),
        taps=taps,
        numbers=replace(cases.DRAWN, source_zero_point=place.source.zero_point),
        dtype=place.source.dtype,
    )
    ratio = place.source.scale / graph.tensor(SOURCE).scale
    layer = layer_of(graph)
    constants = tuple(
        replace(tensor, quant=_times(tensor.quant, ratio)) if tensor.name == "bias" else tensor
        for tensor in layer.constants
    )
    return replace(layer, quant=_times(layer.quant, ratio), constants=constants)


def _times(quant: QuantParams | None, ratio: float) -> QuantParams:
    assert quant is not None
    return replace(quant, scale=tuple(scale * ratio for scale in quant.scale))
