from collections.abc import Iterator
from typing import Any

from moved import moved
from single_operator import SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.split import Split

SHAPES = ((12,), (4, 6), (1, 6, 4), (1, 4, 6, 8), (2, 2, 4, 6), (2, 2, 2, 2, 4))


def cases() -> Iterator[tuple[Any, Graph]]:
    """Every number of parts along every dimension."""
    draw = Draw("split")
    for shape in SHAPES:
        for axis, size in enumerate(shape):
            for parts in (count for count in range(1, size + 1) if size % count == 0):
                outputs = tuple(f"part_{number}" for number in range(parts))
                op = Split(name="part_0", inputs=(SOURCE,), outputs=outputs, axis=axis)
                yield (shape, axis, parts), moved(draw, op, shape)
