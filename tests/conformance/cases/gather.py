from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from draw.moved import with_int16
from single_operator import OUTPUT, SOURCE, Draw, Ranges, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph, Shape, Tensor
from tinyml.ops.gather import Gather


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    indices: Shape
    axis: int
    batch_dims: int = 0
    constant: bool = True


CORNERS = tuple(
    Parameters(shape=shape, indices=indices, axis=axis, batch_dims=batch_dims, constant=constant)
    for constant in (True, False)
    for shape, indices, axis, batch_dims in (
        ((9,), (4,), 0, 0),
        ((9,), (), 0, 0),
        ((1,), (3,), 0, 0),
        ((300, 5), (7,), 0, 0),
        ((4, 6), (2, 3), 1, 0),
        ((1, 5, 5, 3), (5,), 2, 0),
        ((1, 5, 5, 3), (3,), 3, 0),
        ((2, 3, 4), (2, 5), 1, 1),
        ((2, 3, 4), (2, 5), 2, 1),
        ((2, 3, 4, 5), (2, 3, 6), 2, 2),
    )
)

RANDOM_CASES = 20


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph, Ranges]]:
    draw = Draw("gather")
    for p in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        yield p, _graph(draw, p), {"indices": (0, p.shape[p.axis] - 1)}


def _drawn(draw: Draw) -> Parameters:
    shape = draw.shape(draw.integer(1, 4), 6)
    axis = draw.integer(0, len(shape) - 1)
    batch_dims = draw.one_of(0, 0, draw.integer(0, axis))
    picked = draw.shape(draw.integer(0 if batch_dims == 0 else 1, 2), 5)
    return Parameters(
        shape=shape,
        indices=(*shape[:batch_dims], *picked),
        axis=axis,
        batch_dims=batch_dims,
        constant=draw.chance(1 / 2),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    quant = draw.quant()
    drawn = draw.rng.integers(0, p.shape[p.axis], p.indices).astype(np.int32)
    indices = Tensor("indices", p.indices, DType.INT32, data=drawn if p.constant else None)
    op = Gather(
        name="gather",
        inputs=(SOURCE, "indices"),
        outputs=(OUTPUT,),
        axis=p.axis,
        batch_dims=p.batch_dims,
    )
    return single_operator(op, [int8_tensor(SOURCE, p.shape, quant), indices], quant)
