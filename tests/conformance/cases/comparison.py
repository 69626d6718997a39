from collections.abc import Iterator

from binary import (
    BROADCASTS,
    CONSTANTS,
    IMAGE,
    ZERO_POINTS,
    Parameters,
    binary_graph,
    drawn,
)
from single_operator import OUTPUT, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.base import Operator
from tinyml.ops.comparison import Comparison, Relation

# Equal ones, where elements often are; coarse ones; ones so fine that few places are left.
SCALES = ((0.1, 0.1, 0.1), (0.1, 0.2, 1.0), (0.99, 0.5, 1.0), (1e-3, 1e-3, 1.0), (1e-5, 0.1, 1.0))

CORNERS = (
    *BROADCASTS,
    *ZERO_POINTS,
    *CONSTANTS,
    *(
        Parameters(scales=scales, shapes=shapes)
        for scales in SCALES
        for shapes in ((IMAGE, IMAGE), (IMAGE, (7,)))
    ),
)


def cases() -> Iterator[tuple[tuple[Relation, Parameters], Graph]]:
    """Every relation with all of the corners over the file, and with some of its own."""
    draw = Draw("comparison")
    relations = list(Relation)
    for number, parameters in enumerate((*CORNERS, *drawn(draw), *CORNERS[-10:] * 5)):
        relation = relations[number % len(relations)]

        def make(_: Parameters, inputs: tuple[str, str], relation: Relation = relation) -> Operator:
            return Comparison(
                name="comparison", inputs=inputs, outputs=(OUTPUT,), relation=relation
            )

        graph = binary_graph(draw, parameters, make, quantized_output=False)
        yield (relation, parameters), graph
