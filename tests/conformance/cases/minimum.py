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
from tinyml.ops.minimum import Minimum

CORNERS = (*SIZES, *BROADCASTS, *FIVE_DIMENSIONS, *ZERO_POINTS, *CONSTANTS)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    """All tensors share their parameters."""
    draw = Draw("minimum")
    for parameters in (*CORNERS, *drawn(draw)):
        yield parameters, binary_graph(draw, parameters, plain(Minimum, "minimum"), one_quant=True)
