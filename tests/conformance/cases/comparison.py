from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from draw.binary import (
    BROADCASTS,
    CONSTANTS,
    FIVE_DIMENSIONS,
    IMAGE,
    ZERO_POINTS,
    Parameters,
    binary_graph,
    drawn,
    of_integers,
)
from single_operator import OUTPUT, Draw

from tinyml.ir.graph import DType, Graph
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.operator import Operator

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


# NOT_EQUAL of int16 is in no runtime.
WIDE = tuple(relation for relation in Relation if relation is not Relation.NOT_EQUAL)

Comparisons = Iterator[tuple[tuple[Relation, Parameters], Graph]]


def cases() -> Comparisons:
    """Every relation with all of the corners over the file, and with some of its own."""
    draw = Draw("comparison")
    everything = (*CORNERS, *drawn(draw), *CORNERS[-10:] * 5, *FIVE_DIMENSIONS * 2)
    yield from _compared(draw, list(Relation), everything)
    draw = Draw("comparison int16")
    yield from _compared(draw, WIDE, _wide((*CORNERS, *drawn(draw), *CORNERS[-10:] * 3)))
    draw = Draw("comparison int32")
    yield from _compared(draw, list(Relation), of_integers(draw))


def _wide(given: Iterable[Parameters]) -> Iterator[Parameters]:
    return (replace(parameters, dtype=DType.INT16) for parameters in given)


def _compared(
    draw: Draw, relations: Sequence[Relation], given: Iterable[Parameters]
) -> Comparisons:
    """One relation after another; int16 of one scale."""
    for number, parameters in enumerate(given):
        relation = relations[number % len(relations)]

        def make(_: Parameters, inputs: tuple[str, str], relation: Relation = relation) -> Operator:
            return Comparison(
                name="comparison", inputs=inputs, outputs=(OUTPUT,), relation=relation
            )

        is_wide = parameters.dtype is DType.INT16
        graph = binary_graph(draw, parameters, make, one_quant=is_wide, quantized_output=False)
        yield (relation, parameters), graph
