from collections.abc import Iterator
from dataclasses import dataclass

from draw.corners import corners_and_drawn
from single_operator import OUTPUT, SOURCE, Draw, activation, single_operator

from tinyml.ir.graph import DType, Graph, QuantParams, Shape
from tinyml.ops.pad import Pad


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    paddings: tuple[tuple[int, int], ...]
    zero_point: int | None = None
    dtype: DType = DType.INT8


IMAGE = (1, 4, 5, 3)

CORNERS = (
    *(Parameters(shape=(6,), paddings=(pair,)) for pair in ((0, 0), (2, 0), (0, 3), (1, 4))),
    *(Parameters(shape=(3, 4), paddings=((a, b), (b, a))) for a in (0, 1) for b in (0, 2)),
    Parameters(shape=(2, 3, 4), paddings=((1, 0), (0, 2), (3, 1))),
    Parameters(shape=(2, 3, 4), paddings=((0, 0), (0, 0), (0, 1))),
    Parameters(shape=(2, 3, 4), paddings=((1, 1), (0, 0), (0, 0))),
    Parameters(shape=IMAGE, paddings=((0, 0), (1, 1), (1, 1), (0, 0))),
    Parameters(shape=IMAGE, paddings=((0, 0), (0, 1), (0, 1), (0, 0))),
    Parameters(shape=IMAGE, paddings=((0, 0), (3, 2), (0, 7), (0, 0))),
    Parameters(shape=IMAGE, paddings=((0, 0), (0, 0), (0, 0), (2, 3))),
    Parameters(shape=IMAGE, paddings=((1, 2), (0, 0), (0, 0), (0, 0))),
    Parameters(shape=IMAGE, paddings=((1, 0), (0, 1), (1, 0), (0, 1))),
    Parameters(shape=IMAGE, paddings=((0, 0),) * 4),
    *(
        Parameters(shape=IMAGE, paddings=((0, 0), (1, 2), (2, 1), (1, 1)), zero_point=zero_point)
        for zero_point in (-128, -1, 0, 127)
    ),
)

RANDOM_CASES = 20


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("pad", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "pad int16", CORNERS, _drawn, _graph, RANDOM_CASES, dtype=DType.INT16
    )


def _drawn(draw: Draw) -> Parameters:
    rank = draw.integer(1, 4)
    paddings = tuple((draw.integer(0, 3), draw.integer(0, 3)) for _ in range(rank))
    return Parameters(shape=draw.shape(rank, 6), paddings=paddings)


def _graph(draw: Draw, p: Parameters) -> Graph:
    zero_point = draw.zero_point() if p.zero_point is None else p.zero_point
    quant = QuantParams.per_tensor(draw.scale(), zero_point)
    op = Pad(name="pad", inputs=(SOURCE,), outputs=(OUTPUT,), paddings=p.paddings)
    source = activation(SOURCE, p.shape, p.dtype, quant)
    return single_operator(op, [source], source.quant)
