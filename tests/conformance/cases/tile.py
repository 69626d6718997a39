from collections.abc import Iterator
from typing import Any

from draw.moved import moved
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.tile import Tile

CORNERS: tuple[tuple[Shape, Shape], ...] = (
    ((1,), (9,)),
    ((4,), (1,)),
    ((3,), (4,)),
    ((2, 3), (1, 3)),
    ((2, 3), (4, 1)),
    ((2, 3), (3, 2)),
    ((1, 4, 5, 3), (1, 2, 2, 1)),
    ((1, 4, 5, 3), (1, 1, 1, 4)),
    ((1, 1, 1, 6), (1, 3, 4, 1)),
    ((2, 3, 2, 3), (3, 2, 3, 2)),
    ((2, 1, 2, 1, 3), (2, 2, 1, 3, 2)),
)

RANDOM_CASES = 24


def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("tile")
    for shape, multiples in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        op = Tile(name="tile", inputs=(SOURCE,), outputs=(OUTPUT,), multiples=multiples)
        yield (shape, multiples), moved(draw, op, shape)


def _drawn(draw: Draw) -> tuple[Shape, Shape]:
    rank = draw.integer(1, 5)
    return draw.shape(rank, 4), draw.shape(rank, 3)
