"""Cases of ADD and SUB, which differ in a sign only."""

from collections.abc import Iterator

from single_operator import Draw

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
from tinyml.ir.graph import Graph
from tinyml.ops.families.elementwise import ArithmeticOperator

# Very different scales, equal ones, powers of two, outputs far larger and far smaller.
SCALES = (
    (1.0, 1e-3, 1.0),
    (1e-3, 1.0, 1.0),
    (1e-6, 1.0, 1.0),
    (1e-10, 1.0, 0.7),
    (0.1, 0.1, 0.1),
    (0.5, 0.25, 1.0),
    (0.1, 0.1, 0.2),
    (0.1, 0.07, 10.0),
    (0.1, 0.07, 1e-4),
    (0.1, 0.07, 1e6),
)

CORNERS = (
    *SIZES,
    *BROADCASTS,
    *FIVE_DIMENSIONS,
    *ZERO_POINTS,
    *ACTIVATIONS,
    *CONSTANTS,
    *(
        Parameters(scales=scales, shapes=shapes)
        for scales in SCALES
        for shapes in ((IMAGE, IMAGE), ((3, 7), (1, 7)))
    ),
    Parameters(zero_points=(127, -128, 127), scales=(1.0, 1e-3, 0.5)),
)


def sum_cases(operator: type[ArithmeticOperator], name: str) -> Iterator[tuple[Parameters, Graph]]:
    """Cases of ``operator``, drawn under its ``name``: int8, then int16, then int32."""
    draw = Draw(name)
    for parameters in (*CORNERS, *drawn(draw, activation=True)):
        yield parameters, binary_graph(draw, parameters, arithmetic(operator, name))
    draw = Draw(f"{name} int16")
    for parameters in widened(CORNERS, draw):
        yield parameters, binary_graph(draw, parameters, arithmetic(operator, name))
    yield from integer_cases(arithmetic(operator, name), name)
