from collections.abc import Iterator

from binary import (
    BROADCASTS,
    CONSTANTS,
    FIVE_DIMENSIONS,
    SIZES,
    ZERO_POINTS,
    Parameters,
    binary_graph,
    drawn,
    plain,
)
from single_operator import Draw

from tinyml.ir.graph import Graph
from tinyml.ops.maximum import Maximum

CORNERS = (*SIZES, *BROADCASTS, *FIVE_DIMENSIONS, *ZERO_POINTS, *CONSTANTS)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    """All tensors share their parameters."""
    draw = Draw("maximum")
    for parameters in (*CORNERS, *drawn(draw)):
        yield parameters, binary_graph(draw, parameters, plain(Maximum, "maximum"), one_quant=True)
