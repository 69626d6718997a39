from collections.abc import Iterator

from draw.binary import (
    BROADCASTS,
    CONSTANTS,
    FIVE_DIMENSIONS,
    IMAGE,
    SIZES,
    ZERO_POINTS,
    Parameters,
    binary_graph,
    drawn,
    plain,
)
from single_operator import Draw

from tinyml.ir.graph import Graph
from tinyml.ops.squared_difference import SquaredDifference

SCALES = (
    (0.1, 0.1, 0.1),
    (0.5, 0.25, 8.0),
    (0.01, 0.1, 1.0),
    (1e-3, 1.0, 100.0),
    (0.1, 0.07, 1e-5),
    (0.1, 0.07, 1e6),
)

CORNERS = (
    *SIZES,
    *BROADCASTS,
    *FIVE_DIMENSIONS,
    *ZERO_POINTS,
    *CONSTANTS,
    *(Parameters(scales=scales, shapes=(IMAGE, (7,))) for scales in SCALES),
)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("squared_difference")
    make = plain(SquaredDifference, "squared_difference")
    for parameters in (*CORNERS, *drawn(draw)):
        yield parameters, binary_graph(draw, parameters, make)
