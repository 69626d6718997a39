from collections.abc import Iterator
from typing import Any

from draw.moved import moved, with_int16
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.broadcast_to import BroadcastTo

CORNERS: tuple[tuple[Shape, Shape], ...] = (
    ((1,), (9,)),
    ((7,), (7,)),
    ((), (3, 4)),
    ((1,), (1, 1, 5)),
    ((5,), (4, 5)),
    ((4, 1), (4, 5)),
    ((1, 3), (6, 3)),
    ((1, 1, 1, 6), (1, 4, 5, 6)),
    ((1, 4, 5, 1), (1, 4, 5, 6)),
    ((2, 1, 3, 1), (2, 4, 3, 5)),
    ((1, 2, 1, 3, 1), (2, 2, 3, 3, 2)),
    ((2, 1, 3, 1, 2), (2, 3, 3, 2, 2)),
)

RANDOM_CASES = 24


@with_int16
def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("broadcast_to")
    for source, shape in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        op = BroadcastTo(name="broadcast_to", inputs=(SOURCE,), outputs=(OUTPUT,), shape=shape)
        yield (source, shape), moved(draw, op, source)


def _drawn(draw: Draw) -> tuple[Shape, Shape]:
    shape = draw.shape(draw.integer(1, 5), 6)
    source = tuple(draw.one_of(1, size) for size in shape)
    return source[draw.integer(0, len(source) - 1) :], shape
