from collections.abc import Iterator
from dataclasses import dataclass

from draw.corners import corners_and_drawn
from draw.weighted import DRAWN, EXTREMES, Numbers, cases_of_four_bits, names, weighted_graph
from single_operator import Draw

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding, Pair, Window, spatial
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D

SAME, VALID = Padding.SAME, Padding.VALID


@dataclass(frozen=True, kw_only=True)
class Parameters:
    source: Shape = (1, 5, 7, 6)
    multiplier: int = 1
    size: Pair = (3, 3)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Padding = SAME
    activation: Activation = Activation.NONE
    per_channel: bool = True
    bias: bool = True
    numbers: Numbers = DRAWN
    dtype: DType = DType.INT8


CORNERS = (
    # The 3x3 kernel: channels around its block of 4, every way to pad.
    *(Parameters(source=(1, 4, 5, c)) for c in (1, 2, 3, 4, 5, 7, 8, 16, 17)),
    *(Parameters(source=(1, h, w, 5)) for h, w in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 9))),
    *(Parameters(source=(1, 6, 7, 4), stride=s) for s in ((2, 2), (2, 1), (1, 2), (3, 3), (1, 4))),
    Parameters(source=(1, 6, 7, 4), stride=(2, 2), padding=VALID),
    Parameters(source=(1, 3, 3, 9), padding=VALID),
    Parameters(source=(1, 5, 5, 7), bias=False),
    # Other filter sizes.
    *(Parameters(source=(1, 6, 5, 5), size=size) for size in ((1, 1), (1, 3), (3, 1), (2, 2))),
    *(Parameters(source=(1, 6, 7, 9), size=size) for size in ((5, 5), (4, 3), (2, 5), (7, 1))),
    Parameters(source=(1, 2, 2, 6), size=(5, 5)),
    Parameters(source=(1, 5, 5, 6), size=(5, 5), padding=VALID, bias=False),
    Parameters(source=(1, 9, 9, 3), size=(4, 4), stride=(3, 2)),
    Parameters(source=(1, 5, 5, 4), size=(2, 2), bias=False),
    # More channels than the MVE kernel takes at a time, which is 124.
    *(
        Parameters(source=(1, 3, 3, channels), bias=bias)
        for channels in (123, 124, 125, 128, 250, 251)
        for bias in (True, False)
    ),
    Parameters(source=(1, 4, 4, 130), size=(2, 3), padding=VALID, bias=False),
    Parameters(source=(1, 4, 3, 249), size=(2, 2), stride=(2, 1)),
    # Multipliers, for 4 and 8 of which there is a kernel.
    *(
        Parameters(source=(1, 4, 5, 3), multiplier=m, bias=bias)
        for m in (2, 3, 4, 5, 8)
        for bias in (True, False)
    ),
    Parameters(source=(1, 5, 4, 1), multiplier=8, stride=(2, 2)),
    Parameters(source=(1, 5, 4, 1), multiplier=16, size=(4, 4)),
    Parameters(source=(1, 2, 2, 2), multiplier=4, size=(5, 5)),
    Parameters(source=(1, 5, 6, 5), multiplier=4, stride=(2, 3), padding=VALID),
    Parameters(source=(1, 3, 3, 50), multiplier=3),
    # Dilations, batches.
    Parameters(source=(1, 7, 7, 4), dilation=(2, 2)),
    Parameters(source=(1, 7, 8, 5), dilation=(1, 3), padding=VALID),
    Parameters(source=(1, 8, 7, 3), dilation=(3, 1), bias=False),
    Parameters(source=(1, 7, 7, 3), dilation=(2, 3), multiplier=2),
    Parameters(source=(1, 7, 7, 2), dilation=(2, 2), multiplier=4),
    Parameters(source=(1, 3, 3, 4), dilation=(4, 4)),
    Parameters(source=(1, 6, 6, 4), dilation=(2, 2), size=(2, 2), bias=False),
    Parameters(source=(2, 5, 4, 6)),
    Parameters(source=(3, 4, 4, 2), multiplier=4, bias=False),
    Parameters(source=(2, 6, 6, 3), dilation=(2, 1)),
    *(Parameters(activation=activation, per_channel=False) for activation in Activation),
    *(Parameters(activation=activation, size=(2, 3)) for activation in Activation),
    *(Parameters(source=(1, 3, 3, 6), numbers=numbers) for numbers in EXTREMES),
    *(Parameters(source=(1, 3, 3, 6), size=(2, 2), numbers=numbers) for numbers in EXTREMES),
    *(Parameters(source=(1, 3, 3, 2), multiplier=4, numbers=n) for n in EXTREMES[-5:]),
)

RANDOM_CASES = 40


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("depthwise_conv_2d", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "depthwise_conv_2d 16x8", CORNERS, _drawn, _graph, RANDOM_CASES, dtype=DType.INT16
    )
    yield from cases_of_four_bits(
        "depthwise_conv_2d of four bits", CORNERS[::2], _drawn, _graph, RANDOM_CASES
    )


def _drawn(draw: Draw) -> Parameters:
    while True:
        source = (1, *draw.shape(2, 9), draw.integer(1, 20))
        dilated = draw.chance(1 / 3)
        parameters = Parameters(
            source=source,
            multiplier=draw.one_of(1, 1, 1, 2, 4),
            size=draw.shape(2, 4),
            stride=(1, 1) if dilated else draw.shape(2, 3),
            dilation=draw.shape(2, 3) if dilated else (1, 1),
            padding=draw.padding(),
            activation=draw.activation(),
            per_channel=draw.chance(2 / 3),
            bias=draw.chance(2 / 3),
        )
        window = Window(parameters.size, parameters.stride, parameters.dilation, parameters.padding)
        if min(window.output_size(spatial(source))) > 0:
            return parameters


def _graph(draw: Draw, p: Parameters) -> Graph:
    op = DepthwiseConv2D(
        name="depthwise_conv_2d",
        **names(bias=p.bias),
        stride=p.stride,
        dilation=p.dilation,
        padding=p.padding,
        multiplier=p.multiplier,
        activation=p.activation,
    )
    return weighted_graph(
        draw,
        op,
        p.source,
        (1, *p.size, p.source[3] * p.multiplier),
        channel_axis=3,
        per_channel=p.per_channel,
        taps=p.size[0] * p.size[1],
        numbers=p.numbers,
        dtype=p.dtype,
    )
