"""Sizes for operators that move pixels in blocks."""

from collections.abc import Iterator

from single_operator import Draw

from tinyml.ir.graph import Shape

RANDOM_SHAPES = 24


def block_shapes(draw: Draw) -> Iterator[tuple[int, Shape]]:
    """Block size, and a shape (N, H, W, C) counted in whole blocks."""
    for block in (1, 2, 3, 4):
        yield block, (1, 1, 1, 1)
        yield block, (1, 3, 4, 2)
    yield 2, (2, 8, 8, 4)
    yield 2, (3, 5, 1, 3)
    for _ in range(RANDOM_SHAPES):
        yield draw.integer(1, 4), (draw.integer(1, 2), *draw.shape(3, 5))
