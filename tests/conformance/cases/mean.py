from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from draw.corners import corners_and_drawn
from single_operator import OUTPUT, SOURCE, Draw, activation, single_operator, symmetric

from tinyml.ir.graph import DType, Graph, QuantParams, Shape
from tinyml.ops.mean import Mean


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    axes: tuple[int, ...]
    keep_dims: bool = True
    source: QuantParams | None = None
    output: QuantParams | None = None
    dtype: DType = DType.INT8


SHAPES: tuple[Shape, ...] = ((9,), (4, 7), (3, 4, 5), (2, 5, 3, 6))

CORNERS = (
    *(
        Parameters(shape=shape, axes=axes, keep_dims=keep_dims)
        for shape in SHAPES
        for count in range(1, len(shape) + 1)
        for axes in combinations(range(len(shape)), count)
        for keep_dims in (True, False)
    ),
    Parameters(shape=(1, 1, 1, 5), axes=(1, 2)),
    Parameters(shape=(1, 16, 16, 3), axes=(1, 2)),
    Parameters(shape=(1, 33, 31, 2), axes=(1, 2), keep_dims=False),
    Parameters(shape=(5000,), axes=(0,)),
    Parameters(shape=(2, 1, 3, 1, 5), axes=(0, 2, 4)),
    Parameters(shape=(1, 4, 1, 3, 2), axes=(0, 1, 3), keep_dims=False),
    *(
        Parameters(shape=(1, 5, 5, 9), axes=(1, 2), source=source, output=output)
        for source in (QuantParams.per_tensor(0.1, -128), QuantParams.per_tensor(0.1, 127))
        for output in (
            QuantParams.per_tensor(0.1, source.zero_point[0]),
            QuantParams.per_tensor(0.05, -128),
            QuantParams.per_tensor(0.001, 127),
            QuantParams.per_tensor(3.0, 0),
            QuantParams.per_tensor(1e6, 0),
        )
    ),
)

RANDOM_CASES = 20


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("mean", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "mean int16", CORNERS, _drawn, _graph, RANDOM_CASES, dtype=DType.INT16
    )


def _drawn(draw: Draw) -> Parameters:
    shape = draw.shape(4, 9)
    return Parameters(
        shape=shape,
        axes=draw.one_of((1, 2), (1,), (2,), (3,), (1, 2, 3), (0, 3)),
        keep_dims=draw.chance(1 / 2),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    source = p.source or draw.quant(0.02, 0.1)
    op = Mean(name="mean", inputs=(SOURCE,), outputs=(OUTPUT,), axes=p.axes, keep_dims=p.keep_dims)
    output = p.output or draw.quant(0.01, 0.1)
    if p.dtype is DType.INT16:
        output = symmetric(output)
    return single_operator(op, [activation(SOURCE, p.shape, p.dtype, source)], output)
