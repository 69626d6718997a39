from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from draw.corners import corners_and_drawn
from single_operator import (
    INT8_DEVIATION,
    OUTPUT,
    Draw,
    activation,
    limits_of,
    single_operator,
    symmetric,
)

from tinyml.ir.graph import DType, Graph, QuantParams, Shape
from tinyml.ops.batch_matmul import BatchMatMul

BOOLS = (False, True)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Batches of both inputs; matrices of (rows, depth) and (depth, columns)."""

    left: Shape = ()
    right: Shape = ()
    rows: int = 3
    depth: int = 7
    columns: int = 4
    adj_x: bool = False
    adj_y: bool = False
    constant: bool = False  # the right input is one
    multiplier: float | None = None
    zero_points: tuple[int, int, int] | None = None
    dtype: DType = DType.INT8


CORNERS = (
    *(Parameters(adj_x=x, adj_y=y, constant=c) for x, y, c in product(BOOLS, BOOLS, BOOLS)),
    *(Parameters(rows=n, depth=d, columns=m) for n, d, m in ((1, 1, 1), (1, 33, 1), (5, 1, 6))),
    *(Parameters(depth=depth, adj_y=True) for depth in (2, 4, 8, 16, 17, 64)),
    *(
        Parameters(left=left, right=right, adj_x=x, adj_y=y)
        for left, right in (((2,), (2,)), ((2, 3), (2, 3)), ((2, 1, 3), (2, 1, 3)))
        for x, y in product(BOOLS, BOOLS)
    ),
    # Batches that one input has and the other lacks.
    *(
        Parameters(left=left, right=right, adj_y=y)
        for left, right in (((3,), ()), ((), (3,)), ((2, 1), (1, 3)), ((2, 3), (3,)), ((1,), (4,)))
        for y in BOOLS
    ),
    *(
        # Transposed, tflite-runtime 2.14 multiplies these wrong.
        Parameters(left=left, right=right, adj_x=adj_x, adj_y=adj_y, constant=constant)
        for left, right in (((2,), (1,)), ((2, 3), (2, 1)), ((2, 1, 2), (1, 3, 1)))
        for adj_x, adj_y, constant in product(BOOLS, BOOLS, BOOLS)
    ),
    Parameters(left=(2,), constant=True, adj_y=True),
    *(
        Parameters(zero_points=zero_points)
        for zero_points in ((-128, -128, -128), (127, 127, 127), (-128, 127, 0), (0, 0, 0))
    ),
    *(Parameters(multiplier=multiplier) for multiplier in (1.0, 1.7, 1e-5, 1e-11)),
)

RANDOM_CASES = 20


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("batch_matmul", CORNERS, _drawn, _graph, RANDOM_CASES)
    draw = Draw("batch_matmul int16")
    for parameters in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        if not _is_beyond_int16(parameters):
            wide = replace(parameters, dtype=DType.INT16)
            yield wide, _graph(draw, wide)


def _is_beyond_int16(p: Parameters) -> bool:
    """Parameters that int16 lacks, or that would take more than 64-bit sums' room."""
    return p.zero_points is not None or (p.multiplier or 0) > 1 / p.depth


def _drawn(draw: Draw) -> Parameters:
    batches = draw.shape(draw.integer(0, 3), 3)
    return Parameters(
        left=batches,
        right=tuple(draw.one_of(size, size, 1) for size in batches)[
            draw.integer(0, len(batches)) :
        ],
        rows=draw.integer(1, 6),
        depth=draw.integer(1, 20),
        columns=draw.integer(1, 6),
        adj_x=draw.chance(1 / 2),
        adj_y=draw.chance(1 / 2),
        constant=draw.chance(1 / 3),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    zero_points = p.zero_points or tuple(draw.zero_point() for _ in range(3))
    multiplier = p.multiplier or 40 / (INT8_DEVIATION**2 * p.depth**0.5)
    if p.dtype is DType.INT16 and p.multiplier is None:
        multiplier /= 256
    left, right = draw.scale(), draw.scale()
    scales = left, right, left * right / multiplier
    quants = [QuantParams.per_tensor(s, z) for s, z in zip(scales, zero_points, strict=True)]
    shapes = (
        (*p.left, *((p.depth, p.rows) if p.adj_x else (p.rows, p.depth))),
        (*p.right, *((p.columns, p.depth) if p.adj_y else (p.depth, p.columns))),
    )
    tensors = [
        activation("left", shapes[0], p.dtype, quants[0]),
        activation("right", shapes[1], p.dtype, quants[1]),
    ]
    if p.constant:
        data = draw.rng.integers(*limits_of(p.dtype), shapes[1]).astype(p.dtype.numpy)
        tensors[1] = replace(tensors[1], data=data)
    op = BatchMatMul(
        name="batch_matmul",
        inputs=("left", "right"),
        outputs=(OUTPUT,),
        adj_x=p.adj_x,
        adj_y=p.adj_y,
    )
    output = symmetric(quants[2]) if p.dtype is DType.INT16 else quants[2]
    return single_operator(op, tensors, output)
