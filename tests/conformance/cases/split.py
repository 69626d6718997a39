from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from draw.moved import moved, with_int16
from single_operator import SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.split import Split

SHAPES = ((12,), (4, 6), (1, 6, 4), (1, 4, 6, 8), (2, 2, 4, 6), (2, 2, 2, 2, 4))


@with_int16
def cases() -> Iterator[tuple[Any, Graph]]:
    """Every number of parts along every dimension, and parts that nobody reads."""
    draw = Draw("split")
    for shape in SHAPES:
        for axis, size in enumerate(shape):
            for parts in (count for count in range(1, size + 1) if size % count == 0):
                outputs = tuple(f"part_{number}" for number in range(parts))
                op = Split(name="part_0", inputs=(SOURCE,), outputs=outputs, axis=axis)
                yield (shape, axis, parts), moved(draw, op, shape)
    for axis in range(4):
        op = Split(name="part_0", inputs=(SOURCE,), outputs=("part_0", "part_1"), axis=axis)
        graph = moved(draw, op, (2, 4, 6, 8))
        for kept in op.outputs:
            yield (axis, kept), replace(graph, outputs=(kept,))
