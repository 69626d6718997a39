"""Cases RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR share."""

from collections.abc import Iterator
from dataclasses import dataclass

from single_operator import OUTPUT, SOURCE, Draw

from draw.moved import moved
from tinyml.ir.graph import Graph, Shape
from tinyml.ops.contract.window import Pair
from tinyml.ops.families.resize import ResizeOperator

CORNER, ALIGNED, CENTERED = "corner", "aligned", "centered"


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    size: Pair
    lie: str = CORNER


CORNERS = (
    *(
        Parameters(shape=(1, *source, 3), size=size, lie=lie)
        for lie in (CORNER, ALIGNED, CENTERED)
        for source, size in (
            ((4, 5), (8, 10)),
            ((8, 10), (4, 5)),
            ((4, 5), (12, 5)),
            ((7, 6), (5, 9)),
            ((3, 3), (10, 7)),
            ((1, 1), (4, 3)),
            ((6, 7), (1, 1)),
            ((2, 9), (1, 2)),
            ((5, 5), (5, 5)),
            ((33, 2), (20, 31)),
        )
    ),
    *(Parameters(shape=(1, 3, 4, channels), size=(6, 8)) for channels in (1, 2, 16, 17, 64)),
    *(Parameters(shape=(2, 3, 4, 5), size=(7, 5), lie=lie) for lie in (CORNER, ALIGNED, CENTERED)),
)

RANDOM_CASES = 20


def resize_cases(kind: type[ResizeOperator], name: str) -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw(name)
    for p in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        op = kind(
            name=name,
            inputs=(SOURCE,),
            outputs=(OUTPUT,),
            size=p.size,
            align_corners=p.lie == ALIGNED,
            half_pixel_centers=p.lie == CENTERED,
        )
        yield p, moved(draw, op, p.shape)


def _drawn(draw: Draw) -> Parameters:
    return Parameters(
        shape=(1, *draw.shape(2, 12), draw.integer(1, 6)),
        size=draw.shape(2, 24),
        lie=draw.one_of(CORNER, ALIGNED, CENTERED),
    )
