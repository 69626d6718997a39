from collections.abc import Iterator
from dataclasses import dataclass

from draw.corners import corners_and_drawn
from single_operator import OUTPUT, Draw, single_operator, symmetric

from tinyml.ir.graph import DType, Graph, Shape, Tensor
from tinyml.ops.concatenation import Concatenation


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``sizes`` along the axis, one per input; ``repeated`` inputs are the first again."""

    shape: Shape
    axis: int
    sizes: tuple[int, ...]
    repeated: int = 0
    constant: bool = False  # the last input is one
    dtype: DType = DType.INT8


CORNERS = (
    *(
        Parameters(shape=shape, axis=axis, sizes=sizes)
        for shape in ((1,), (3, 4), (2, 3, 4), (2, 3, 4, 5))
        for axis in range(len(shape))
        for sizes in ((1, 2), (5, 1, 3))
    ),
    *(Parameters(shape=(1, 3, 3, 1), axis=3, sizes=(4,), repeated=n) for n in (1, 2)),
    Parameters(shape=(1, 3, 3, 1), axis=1, sizes=(2, 5), repeated=1),
    Parameters(shape=(2, 3), axis=0, sizes=(2, 1), repeated=3),
    Parameters(shape=(4, 3), axis=1, sizes=(6,)),
    Parameters(shape=(1, 7), axis=1, sizes=(1,) * 9),
    Parameters(shape=(1, 4, 4, 1), axis=3, sizes=(16, 17, 1)),
    Parameters(shape=(1, 4, 4, 1), axis=3, sizes=(3, 2), constant=True),
    Parameters(shape=(300,), axis=0, sizes=(300, 257)),
)

RANDOM_CASES = 12


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("concatenation", CORNERS, _drawn, _graph, RANDOM_CASES)
    yield from corners_and_drawn(
        "concatenation int16", CORNERS, _drawn, _graph, RANDOM_CASES, dtype=DType.INT16
    )


def _drawn(draw: Draw) -> Parameters:
    rank = draw.integer(1, 4)
    return Parameters(
        shape=draw.shape(rank, 6),
        axis=draw.integer(0, rank - 1),
        sizes=draw.shape(draw.integer(1, 5), 9),
        repeated=draw.one_of(0, 0, 1),
        constant=draw.chance(1 / 3),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    quant = draw.quant()
    shapes = [(*p.shape[: p.axis], size, *p.shape[p.axis + 1 :]) for size in p.sizes]
    constant = len(shapes) - 1 if p.constant and len(shapes) > 1 else None
    if p.dtype is DType.INT16:
        quant = symmetric(quant)
    data = [draw.int8(shape) if i == constant else None for i, shape in enumerate(shapes)]
    tensors = [
        Tensor(f"source_{i}", shape, p.dtype, quant, None if d is None else d.astype(p.dtype.numpy))
        for i, (shape, d) in enumerate(zip(shapes, data, strict=True))
    ]
    inputs = tuple(tensor.name for tensor in tensors) + (tensors[0].name,) * p.repeated
    op = Concatenation(name="concatenation", inputs=inputs, outputs=(OUTPUT,), axis=p.axis)
    return single_operator(op, tensors, quant)
