from collections.abc import Iterator

from draw.binary import (
    ACTIVATIONS,
    BROADCASTS,
    CONSTANTS,
    FIVE_DIMENSIONS,
    IMAGE,
    SIZES,
    ZERO_POINTS,
    Parameters,
    arithmetic,
    binary_graph,
    drawn,
    integer_cases,
    widened,
)
from single_operator import Draw

from tinyml.ir.graph import Graph
from tinyml.ops.mul import Mul

# Outputs as fine as the product, far finer (a left shift) and far coarser.
SCALES = (
    (0.1, 0.1, 0.01),
    (0.5, 0.5, 0.25),
    (0.5, 0.5, 0.01),
    (1.0, 1.0, 1e-4),
    (0.1, 0.07, 10.0),
    (1e-4, 1e-4, 1e3),
)

CORNERS = (
    *SIZES,
    *BROADCASTS,
    *ZERO_POINTS,
    *ACTIVATIONS,
    *CONSTANTS,
    *(
        Parameters(scales=scales, shapes=shapes)
        for scales in SCALES
        for shapes in ((IMAGE, IMAGE), ((3, 7), (1, 7)))
    ),
)

WIDE_CORNERS = (
    *(p for p in CORNERS if p.scales is None),
    *(
        Parameters(scales=scales, shapes=shapes)
        for scales in ((0.5, 0.5, 0.5), (0.1, 0.07, 10.0), (1e-4, 1e-4, 1e3), (0.25, 0.5, 0.251))
        for shapes in ((IMAGE, IMAGE), ((3, 7), (1, 7)))
    ),
)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("mul")
    for parameters in (*CORNERS, *drawn(draw, activation=True), *FIVE_DIMENSIONS):
        yield parameters, binary_graph(draw, parameters, arithmetic(Mul, "mul"))
    draw = Draw("mul int16")
    for parameters in widened(WIDE_CORNERS, draw):
        first, second = draw.scale(1e-4, 0.1), draw.scale(1e-4, 0.1)
        scales = first, second, first * second * draw.scale(2, 1e5)
        make = arithmetic(Mul, "mul")
        yield parameters, binary_graph(draw, parameters, make, scales=scales)
    yield from integer_cases(arithmetic(Mul, "mul"), "mul")
