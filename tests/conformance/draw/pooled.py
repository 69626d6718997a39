"""Cases AVERAGE_POOL_2D and MAX_POOL_2D share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from single_operator import OUTPUT, SOURCE, Draw, activation, single_operator

from draw.corners import corners_and_drawn
from tinyml.ir.graph import DType, Graph, QuantParams, Shape
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding, Pair, Window, spatial
from tinyml.ops.families.pool import Pool2D

SAME, VALID = Padding.SAME, Padding.VALID


@dataclass(frozen=True, kw_only=True)
class Parameters:
    source: Shape = (1, 6, 7, 5)
    size: Pair = (2, 2)
    stride: Pair = (2, 2)
    padding: Padding = SAME
    activation: Activation = Activation.NONE
    scale: float = 0.05
    zero_point: int | None = None
    dtype: DType = DType.INT8


CORNERS = (
    *(Parameters(source=(1, 4, 4, channels)) for channels in (1, 2, 3, 4, 8, 15, 16, 17, 33, 130)),
    # Windows larger than their stride, smaller, as large as the input, larger than it.
    *(Parameters(size=(3, 3), stride=(1, 1), padding=padding) for padding in Padding),
    *(Parameters(size=(3, 2), stride=(1, 2), padding=padding) for padding in Padding),
    *(Parameters(size=(2, 2), stride=(3, 4), padding=padding) for padding in Padding),
    *(Parameters(size=(6, 7), stride=(1, 1), padding=padding) for padding in Padding),
    *(Parameters(size=(6, 7), stride=(6, 7), padding=padding) for padding in Padding),
    Parameters(source=(1, 3, 2, 18), size=(5, 5), stride=(1, 1)),
    Parameters(source=(1, 3, 2, 18), size=(7, 4), stride=(2, 2)),
    Parameters(source=(1, 1, 1, 6), size=(1, 1), stride=(1, 1)),
    Parameters(source=(1, 1, 1, 6), size=(3, 3), stride=(1, 1)),
    Parameters(source=(1, 1, 12, 3), size=(1, 3), stride=(1, 2)),
    Parameters(source=(1, 12, 1, 3), size=(4, 1), stride=(3, 1), padding=VALID),
    Parameters(source=(1, 16, 16, 2), size=(16, 16), stride=(16, 16)),
    Parameters(source=(2, 5, 5, 6)),
    Parameters(source=(3, 4, 5, 17), size=(3, 3), stride=(1, 1)),
    *(Parameters(zero_point=zero_point, size=(3, 3)) for zero_point in (-128, -1, 0, 1, 127)),
    *(
        Parameters(activation=activation, zero_point=zero_point, size=(2, 3), source=source)
        for activation in Activation
        for zero_point, source in ((-128, (1, 5, 5, 3)), (127, (1, 5, 4, 9)), (-20, (1, 3, 5, 17)))
    ),
    # Bounds that lie outside int8 altogether.
    Parameters(activation=Activation.RELU6, scale=1e-4),
    Parameters(activation=Activation.RELU_N1_TO_1, scale=10.0),
    Parameters(activation=Activation.RELU_N1_TO_1, scale=1e-6),
)

RANDOM_CASES = 30


def pool_cases(pool: type[Pool2D], name: str) -> Iterator[tuple[Parameters, Graph]]:
    graph = partial(_graph, pool, name)
    yield from corners_and_drawn(name, CORNERS, _drawn, graph, RANDOM_CASES)
    yield from corners_and_drawn(
        f"{name} int16", CORNERS, _drawn, graph, RANDOM_CASES, dtype=DType.INT16
    )


def _drawn(draw: Draw) -> Parameters:
    while True:
        parameters = Parameters(
            source=(1, *draw.shape(2, 9), draw.integer(1, 20)),
            size=draw.shape(2, 5),
            stride=draw.shape(2, 3),
            padding=draw.padding(),
            activation=draw.activation(),
        )
        window = Window(parameters.size, parameters.stride, padding=parameters.padding)
        if min(window.output_size(spatial(parameters.source))) > 0:
            return parameters


def _graph(pool: type[Pool2D], name: str, draw: Draw, p: Parameters) -> Graph:
    quant = QuantParams.per_tensor(p.scale, draw.zero_point(p.zero_point))
    op = pool(
        name=name,
        inputs=(SOURCE,),
        outputs=(OUTPUT,),
        size=p.size,
        stride=p.stride,
        padding=p.padding,
        activation=p.activation,
    )
    source = activation(SOURCE, p.source, p.dtype, quant)
    return single_operator(op, [source], source.quant)
