from collections.abc import Iterator
from dataclasses import dataclass, replace

from draw.corners import corners_and_drawn
from draw.weighted import DRAWN, EXTREMES, Numbers, names, weighted_graph
from single_operator import Draw

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding, Pair, Window
from tinyml.ops.transpose_conv import TransposeConv

SAME, VALID = Padding.SAME, Padding.VALID


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``output`` is the size the convolution this is the transpose of would start from."""

    output: Pair = (6, 8)
    channels: int = 3
    filters: int = 4
    size: Pair = (3, 3)
    stride: Pair = (2, 2)
    padding: Padding = SAME
    batches: int = 1
    activation: Activation = Activation.NONE
    per_channel: bool = True
    bias: bool = True
    numbers: Numbers = DRAWN
    dtype: DType = DType.INT8
    bias_dtype: DType | None = None  # that which goes with dtype


CORNERS = (
    *(Parameters(channels=channels) for channels in (1, 2, 4, 8, 15, 17)),
    *(Parameters(filters=filters, bias=False) for filters in (1, 2, 3, 5, 8, 9)),
    # Filters smaller than the stride leave outputs that no input adds to.
    *(Parameters(size=size, stride=(3, 3)) for size in ((1, 1), (2, 2), (1, 3), (4, 5))),
    *(
        Parameters(size=size, stride=(1, 1), padding=p)
        for p in Padding
        for size in ((3, 3), (2, 4))
    ),
    *(
        Parameters(size=(2, 2), output=output, padding=p)
        for p in Padding
        for output in ((6, 7), (5, 9))
    ),
    *(Parameters(stride=stride, output=(7, 9)) for stride in ((1, 2), (2, 1), (3, 2), (2, 4))),
    *(Parameters(stride=stride, output=(7, 9), padding=VALID) for stride in ((1, 2), (4, 3))),
    Parameters(output=(1, 1), size=(3, 3)),
    Parameters(output=(1, 12), size=(1, 4)),
    Parameters(output=(5, 5), size=(5, 5), padding=VALID),
    Parameters(output=(4, 4), size=(7, 6)),
    Parameters(batches=2),
    Parameters(batches=3, size=(2, 2), bias=False),
    *(Parameters(per_channel=False, bias=bias) for bias in (True, False)),
    *(Parameters(output=(3, 3), numbers=numbers) for numbers in EXTREMES),
)

RANDOM_CASES = 40


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("transpose_conv", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "transpose_conv 16x8", CORNERS, _drawn, _graph, RANDOM_CASES // 2, dtype=DType.INT16
    )
    yield from corners_and_drawn(
        "transpose_conv 16x8 with an int32 bias",
        CORNERS[::2],
        _drawn,
        _graph,
        RANDOM_CASES // 2,
        dtype=DType.INT16,
        bias=True,
        bias_dtype=DType.INT32,
    )
    yield from _active_cases()


def _active_cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("transpose_conv with activations")
    activations = [kind for kind in Activation if kind is not Activation.NONE]
    for parameters in (_drawn(draw) for _ in range(10)):
        for kind in activations:
            active = replace(parameters, activation=kind)
            yield active, _graph(draw, active)


def _drawn(draw: Draw) -> Parameters:
    while True:
        parameters = Parameters(
            output=draw.shape(2, 9),
            channels=draw.integer(1, 10),
            filters=draw.integer(1, 8),
            size=draw.shape(2, 4),
            stride=draw.shape(2, 3),
            padding=draw.padding(),
            per_channel=draw.chance(2 / 3),
            bias=draw.chance(2 / 3),
        )
        if min(_source_size(parameters)) > 0:
            return parameters


def _source_size(p: Parameters) -> Pair:
    return Window(p.size, p.stride, padding=p.padding).output_size(p.output)


def _graph(draw: Draw, p: Parameters) -> Graph:
    op = TransposeConv(
        name="transpose_conv",
        **names(bias=p.bias),
        output_size=p.output,
        stride=p.stride,
        padding=p.padding,
        activation=p.activation,
    )
    return weighted_graph(
        draw,
        op,
        (p.batches, *_source_size(p), p.channels),
        (p.filters, *p.size, p.channels),
        channel_axis=0,
        per_channel=p.per_channel,
        taps=max(1, p.size[0] * p.size[1] * p.channels // (p.stride[0] * p.stride[1])),
        numbers=p.numbers,
        dtype=p.dtype,
        bias=p.bias_dtype,
    )
