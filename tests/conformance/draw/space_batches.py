"""Blocks and borders for SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""

from collections.abc import Iterator
from dataclasses import dataclass

from single_operator import Draw

from tinyml.ir.graph import Shape


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``cells`` is the shape of one phase: (N, spatial sizes, channels)."""

    cells: Shape
    block: tuple[int, ...]
    borders: tuple[tuple[int, int], ...]


CORNERS = (
    Parameters(cells=(1, 3, 4, 2), block=(1, 1), borders=((0, 0), (0, 0))),
    Parameters(cells=(1, 3, 4, 2), block=(2, 2), borders=((0, 0), (0, 0))),
    Parameters(cells=(1, 3, 4, 2), block=(2, 2), borders=((1, 1), (1, 1))),
    Parameters(cells=(1, 3, 4, 2), block=(2, 2), borders=((2, 0), (0, 3))),
    Parameters(cells=(1, 3, 4, 2), block=(3, 1), borders=((3, 3), (0, 0))),
    Parameters(cells=(1, 3, 4, 2), block=(4, 4), borders=((5, 2), (4, 4))),
    Parameters(cells=(2, 3, 4, 3), block=(2, 3), borders=((0, 0), (0, 0))),
    Parameters(cells=(2, 3, 4, 3), block=(2, 3), borders=((1, 2), (3, 1))),
    Parameters(cells=(1, 5, 3), block=(2,), borders=((0, 0),)),
    Parameters(cells=(1, 5, 3), block=(4,), borders=((2, 5),)),
    Parameters(cells=(2, 5, 3), block=(3,), borders=((4, 1),)),
)

RANDOM_CASES = 24


def space_batches(draw: Draw) -> Iterator[Parameters]:
    yield from CORNERS
    for _ in range(RANDOM_CASES):
        rank = draw.one_of(1, 2, 2)
        cells = (draw.integer(1, 2), *(draw.integer(2, 5) for _ in range(rank)), draw.integer(1, 5))
        block = draw.shape(rank, 4)
        # At least one element is left.
        borders = tuple((draw.integer(0, b), draw.integer(0, b - 1)) for b in block)
        yield Parameters(cells=cells, block=block, borders=borders)
