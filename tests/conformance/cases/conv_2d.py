from collections.abc import Iterator
from dataclasses import dataclass

from draw.corners import corners_and_drawn
from draw.weighted import DRAWN, EXTREMES, Numbers, cases_of_four_bits, names, weighted_graph
from single_operator import Draw

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding, Pair, Window, spatial
from tinyml.ops.conv_2d import Conv2D

SAME, VALID = Padding.SAME, Padding.VALID


@dataclass(frozen=True, kw_only=True)
class Parameters:
    source: Shape = (1, 5, 7, 3)
    filters: int = 5
    size: Pair = (3, 3)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Padding = SAME
    activation: Activation = Activation.NONE
    per_channel: bool = True
    bias: bool = True
    numbers: Numbers = DRAWN
    dtype: DType = DType.INT8
    bias_dtype: DType | None = None  # that which goes with dtype


CORNERS = (
    # 1x1 filters: a matrix product; every remainder of channels and of pixels.
    *(Parameters(source=(1, 1, 1, c), filters=n, size=(1, 1)) for c in (1, 4, 17) for n in (1, 6)),
    *(Parameters(source=(1, 3, n, 8), filters=n, size=(1, 1), padding=VALID) for n in range(1, 6)),
    *(Parameters(source=(1, 1, 9, c), filters=3, size=(1, 1)) for c in (3, 16, 33)),
    Parameters(source=(1, 5, 4, 7), size=(1, 1), stride=(2, 2)),
    Parameters(source=(1, 4, 6, 6), size=(1, 1), stride=(1, 3), bias=False),
    Parameters(source=(1, 4, 6, 6), size=(1, 1), stride=(3, 1), padding=VALID),
    Parameters(source=(1, 5, 5, 4), size=(1, 1), dilation=(2, 3)),
    Parameters(source=(2, 3, 3, 5), size=(1, 1)),
    Parameters(source=(3, 4, 3, 5), size=(1, 1), stride=(2, 2)),
    Parameters(source=(1, 3, 3, 6), size=(1, 1), bias=False, per_channel=False),
    # Rows of height 1, for which MVE has a kernel.
    *(
        Parameters(source=(1, 1, w, c), filters=6, size=(1, k), stride=(1, s), padding=p)
        for p in (SAME, VALID)
        for w, c, k, s in (
            (9, 4, 3, 1),
            (10, 4, 3, 2),
            (9, 8, 5, 2),
            (8, 4, 4, 1),
            (12, 4, 8, 3),
            (11, 2, 3, 2),
            (8, 1, 3, 4),
            (13, 12, 2, 3),
            (9, 3, 3, 1),
        )
    ),
    Parameters(source=(1, 1, 3, 4), size=(1, 7)),
    Parameters(source=(1, 1, 4, 4), size=(1, 5), bias=False),
    Parameters(source=(1, 1, 9, 4), size=(1, 3), dilation=(1, 2)),
    Parameters(source=(2, 1, 9, 4), size=(1, 3)),
    Parameters(source=(1, 1, 9, 4), size=(3, 3)),
    Parameters(source=(1, 9, 1, 4), size=(5, 1)),
    Parameters(source=(1, 9, 1, 3), size=(4, 1), stride=(3, 1), padding=VALID),
    # Windows larger than the input, windows as large, one pixel.
    Parameters(source=(1, 1, 1, 3), size=(3, 3)),
    Parameters(source=(1, 2, 2, 2), size=(5, 5)),
    Parameters(source=(1, 2, 3, 9), size=(4, 7), stride=(2, 2)),
    Parameters(source=(1, 4, 3, 5), size=(4, 3), padding=VALID),
    Parameters(source=(1, 4, 3, 5), size=(4, 3), padding=VALID, bias=False),
    # Channels and filters around the kernels' blocks of 2, 4, 8 and 16.
    *(Parameters(source=(1, 4, 5, c), filters=3) for c in (1, 2, 4, 8, 15, 16, 17)),
    *(Parameters(source=(1, 3, 3, 2), filters=n) for n in (1, 2, 3, 4, 7, 8, 9, 17)),
    # Strides and dilations.
    Parameters(source=(1, 9, 7, 3), stride=(2, 1)),
    Parameters(source=(1, 6, 9, 3), stride=(1, 2), padding=VALID),
    Parameters(source=(1, 8, 8, 3), stride=(2, 2)),
    Parameters(source=(1, 9, 9, 2), stride=(4, 5), size=(2, 2)),
    Parameters(source=(1, 9, 9, 2), dilation=(2, 2)),
    Parameters(source=(1, 9, 8, 3), dilation=(1, 3), padding=VALID),
    Parameters(source=(1, 8, 9, 4), dilation=(3, 1), bias=False),
    Parameters(source=(2, 5, 4, 3)),
    Parameters(source=(3, 5, 5, 4), stride=(2, 2), padding=VALID, bias=False),
    *(Parameters(activation=activation, per_channel=False) for activation in Activation),
    *(Parameters(activation=activation, bias=False) for activation in Activation),
    *(Parameters(source=(1, 3, 3, 1), numbers=numbers) for numbers in EXTREMES),
    *(Parameters(source=(1, 2, 2, 4), size=(1, 1), numbers=numbers) for numbers in EXTREMES),
    *(Parameters(source=(1, 1, 6, 4), size=(1, 3), numbers=numbers) for numbers in EXTREMES[-5:]),
)

# Weights of four bits, whose kernels take them in groups of 8 and 32, pixels and channels in twos.
FOUR_BIT_CORNERS = (
    *(Parameters(source=(1, 1, 1, c), filters=5, size=(1, 1)) for c in (1, 7, 8, 9, 31, 33, 70)),
    *(Parameters(source=(1, 1, 3, c), filters=3, size=(1, 1)) for c in (15, 16, 17, 32, 64, 65)),
    *(Parameters(source=(1, 2, 2, 3), filters=n, size=(1, 1)) for n in (1, 2, 31, 32, 33, 65)),
    Parameters(source=(1, 1, 1, 12), filters=34, size=(1, 1), per_channel=False, bias=False),
    Parameters(source=(3, 1, 1, 5), size=(1, 1)),
    Parameters(source=(1, 1, 1, 5), size=(3, 3)),
    Parameters(source=(1, 3, 3, 4), size=(3, 3), padding=VALID),
    Parameters(source=(1, 1, 3, 1), filters=1, size=(1, 1), stride=(1, 3)),
    *(Parameters(source=(1, 3, 3, 2), numbers=numbers) for numbers in EXTREMES),
    *(Parameters(source=(1, 1, 1, 9), size=(1, 1), numbers=numbers) for numbers in EXTREMES),
    *CORNERS[::3],
)

RANDOM_CASES = 40


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("conv_2d", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "conv_2d 16x8", CORNERS, _drawn, _graph, RANDOM_CASES, dtype=DType.INT16
    )
    yield from corners_and_drawn(
        "conv_2d 16x8 with an int32 bias",
        CORNERS[::3],
        _drawn,
        _graph,
        RANDOM_CASES // 2,
        dtype=DType.INT16,
        bias=True,
        bias_dtype=DType.INT32,
    )
    yield from cases_of_four_bits(
        "conv_2d of four bits", FOUR_BIT_CORNERS, _drawn, _graph, RANDOM_CASES
    )


def _drawn(draw: Draw) -> Parameters:
    while True:
        source = (1, *draw.shape(2, 9), draw.integer(1, 12))
        dilated = draw.chance(1 / 3)
        parameters = Parameters(
            source=source,
            filters=draw.integer(1, 10),
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
    op = Conv2D(
        name="conv_2d",
        **names(bias=p.bias),
        stride=p.stride,
        dilation=p.dilation,
        padding=p.padding,
        activation=p.activation,
    )
    return weighted_graph(
        draw,
        op,
        p.source,
        (p.filters, *p.size, p.source[3]),
        channel_axis=0,
        per_channel=p.per_channel,
        taps=p.size[0] * p.size[1] * p.source[3],
        numbers=p.numbers,
        dtype=p.dtype,
        bias=p.bias_dtype,
    )
