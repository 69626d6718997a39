from collections.abc import Iterator
from dataclasses import dataclass

from draw.moved import moved, with_int16
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.slice import Slice


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    begin: tuple[int, ...]
    size: tuple[int, ...]


IMAGE = (1, 6, 7, 5)

CORNERS = (
    Parameters(shape=(9,), begin=(0,), size=(9,)),
    Parameters(shape=(9,), begin=(8,), size=(1,)),
    Parameters(shape=(300,), begin=(13,), size=(270,)),
    Parameters(shape=(4, 6), begin=(1, 0), size=(2, 6)),
    Parameters(shape=(4, 6), begin=(0, 2), size=(4, 3)),
    Parameters(shape=IMAGE, begin=(0, 0, 0, 0), size=IMAGE),
    Parameters(shape=IMAGE, begin=(0, 2, 3, 0), size=(1, 3, 2, 5)),
    Parameters(shape=IMAGE, begin=(0, 0, 0, 2), size=(1, 6, 7, 1)),
    Parameters(shape=IMAGE, begin=(0, 5, 6, 4), size=(1, 1, 1, 1)),
    Parameters(shape=(3, 4, 5, 6), begin=(1, 1, 1, 1), size=(2, 2, 2, 2)),
    Parameters(shape=(2, 3, 4, 5, 6), begin=(1, 1, 1, 1, 1), size=(1, 2, 3, 4, 5)),
    Parameters(shape=(2, 3, 2, 3, 2), begin=(0, 1, 0, 1, 0), size=(2, 2, 1, 2, 2)),
)

RANDOM_CASES = 24


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("slice")
    for p in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        op = Slice(name="slice", inputs=(SOURCE,), outputs=(OUTPUT,), begin=p.begin, size=p.size)
        yield p, moved(draw, op, p.shape)


def _drawn(draw: Draw) -> Parameters:
    shape = draw.shape(draw.integer(1, 5), 7)
    begin = tuple(draw.integer(0, size - 1) for size in shape)
    room = zip(shape, begin, strict=True)
    return Parameters(
        shape=shape, begin=begin, size=tuple(draw.integer(1, have - first) for have, first in room)
    )
