from collections.abc import Iterator

from draw.binary import IMAGE, ZERO_POINTS, Parameters, binary_graph, plain
from single_operator import Draw

from tinyml.ir.graph import Graph
from tinyml.ops.prelu import Prelu

# The slopes' shapes as Keras makes them: per channel, shared over an axis or over all.
SHAPES = (
    (IMAGE, (7,)),
    (IMAGE, (1, 1, 7)),
    (IMAGE, (1, 5, 7)),
    (IMAGE, (3, 1, 1)),
    (IMAGE, IMAGE),
    (IMAGE, ()),
    ((9,), (9,)),
    ((9,), (1,)),
    ((2, 4), (4,)),
    ((2, 3, 4), (1, 4)),
    ((300,), (300,)),
)
SCALES = (
    (0.1, 0.01, 0.1),
    (0.1, 0.01, 0.05),
    (0.05, 0.5, 1.0),
    (0.02, 1e-4, 0.03),
    (1.0, 0.1, 1e3),
)

CORNERS = (
    *(Parameters(shapes=shapes, constant=constant) for shapes in SHAPES for constant in (1, None)),
    *(Parameters(shapes=(IMAGE, (7,)), scales=scales, constant=1) for scales in SCALES),
    *ZERO_POINTS,
    Parameters(shapes=((2, 3, 2, 2, 3), (3,)), constant=1),
)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("prelu")
    for parameters in CORNERS:
        yield parameters, binary_graph(draw, parameters, plain(Prelu, "prelu"))
