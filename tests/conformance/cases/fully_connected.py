from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from draw.corners import corners_and_drawn
from draw.weighted import DRAWN, EXTREMES, Numbers, cases_of_four_bits, names, weighted_graph
from single_operator import Draw

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.contract.activation import Activation
from tinyml.ops.fully_connected import FullyConnected


@dataclass(frozen=True, kw_only=True)
class Parameters:
    source: Shape = (1, 20)
    features: int = 6
    depth: int | None = None  # the source's last dimension
    keep_num_dims: bool = False
    activation: Activation = Activation.NONE
    per_channel: bool = False
    bias: bool = True
    numbers: Numbers = DRAWN
    dtype: DType = DType.INT8
    bias_dtype: DType | None = None  # that which goes with dtype
    least_weights: bool = False  # all of them -128


CORNERS = (
    *(Parameters(source=(1, depth)) for depth in (1, 2, 3, 4, 5, 15, 16, 17, 33, 100)),
    *(Parameters(features=features) for features in (1, 2, 3, 4, 5, 7, 8, 9, 17)),
    *(Parameters(source=(rows, 13), features=5) for rows in (2, 3, 4, 5)),
    *(Parameters(source=(rows, 16), features=4, bias=False) for rows in (1, 2, 3)),
    *(Parameters(source=(1, 7), features=features, bias=False) for features in (1, 2, 3, 4, 5)),
    Parameters(source=(2, 3, 11), keep_num_dims=True),
    Parameters(source=(1, 2, 3, 8), keep_num_dims=True, bias=False),
    Parameters(source=(1, 2, 2, 5), depth=20),
    Parameters(source=(3, 4, 5), depth=20),
    Parameters(source=(2, 12), depth=6),
    Parameters(source=(24,), depth=24),
    *(Parameters(activation=activation) for activation in Activation),
    *(Parameters(activation=activation, source=(3, 9)) for activation in Activation),
    *(Parameters(numbers=numbers, source=(1, 3)) for numbers in EXTREMES),
    *(Parameters(numbers=numbers, source=(2, 18)) for numbers in EXTREMES[-5:]),
    # Weights per channel, which become a convolution.
    *(Parameters(source=(1, depth), per_channel=True) for depth in (1, 4, 7, 33)),
    *(Parameters(source=(rows, 10), features=7, per_channel=True) for rows in (1, 2, 3, 5)),
    Parameters(source=(2, 3, 8), keep_num_dims=True, per_channel=True),
    Parameters(source=(2, 2, 5), depth=10, per_channel=True, bias=False),
    *(Parameters(activation=activation, per_channel=True) for activation in Activation),
    *(Parameters(numbers=numbers, source=(1, 3), per_channel=True) for numbers in EXTREMES),
)

# Of 16x8: sums that just fit 32 bits, and sums that just do not.
WIDE_CORNERS = (
    *CORNERS,
    *(
        Parameters(source=(2, depth), features=features, least_weights=True)
        for depth, features in ((511, 3), (512, 1), (512, 4), (515, 7))
    ),
)

# Of four bits: groups of 8 and 32 weights, features in twos and in chunks of 32.
FOUR_BIT_CORNERS = (
    *CORNERS,
    *(Parameters(source=(1, depth), features=5) for depth in (7, 8, 9, 31, 32, 39, 64, 65)),
    *(Parameters(source=(2, depth), features=3) for depth in (24, 40, 64)),
    *(Parameters(features=features) for features in (31, 32, 33, 64, 65)),
)

RANDOM_CASES = 30


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("fully_connected", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "fully_connected 16x8", WIDE_CORNERS, _drawn, _graph, RANDOM_CASES, dtype=DType.INT16
    )
    yield from corners_and_drawn(
        "fully_connected 16x8 with an int32 bias",
        CORNERS[::3],
        _drawn,
        _graph,
        RANDOM_CASES,
        dtype=DType.INT16,
        bias=True,
        bias_dtype=DType.INT32,
    )
    yield from cases_of_four_bits(
        "fully_connected of four bits", FOUR_BIT_CORNERS, _drawn, _graph, RANDOM_CASES
    )


def _drawn(draw: Draw) -> Parameters:
    return Parameters(
        source=(draw.integer(1, 4), draw.integer(1, 64)),
        features=draw.integer(1, 20),
        activation=draw.activation(),
        per_channel=draw.chance(1 / 3),
        bias=draw.chance(2 / 3),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    depth = p.depth or p.source[-1]
    op = FullyConnected(
        name="fully_connected",
        **names(bias=p.bias),
        keep_num_dims=p.keep_num_dims,
        activation=p.activation,
    )
    graph = weighted_graph(
        draw,
        op,
        p.source,
        (p.features, depth),
        channel_axis=0,
        per_channel=p.per_channel,
        taps=depth,
        numbers=p.numbers,
        dtype=p.dtype,
        bias=p.bias_dtype,
    )
    if not p.least_weights:
        return graph
    weights = graph.tensor("weights")
    return graph.with_tensors(replace(weights, data=np.full(weights.shape, -128, np.int8)))
