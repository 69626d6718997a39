from collections.abc import Iterator
from typing import Any

from draw.moved import moved, with_int16
from single_operator import SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.split_v import SplitV

RANDOM_CASES = 36


@with_int16
def cases() -> Iterator[tuple[Any, Graph]]:
    """Parts of any sizes along any dimension."""
    draw = Draw("split_v")
    for _ in range(RANDOM_CASES):
        sizes = draw.shape(draw.integer(1, 5), 5)
        rank = draw.integer(1, 5)
        axis = draw.integer(0, rank - 1)
        others = draw.shape(rank - 1, 5)
        shape = (*others[:axis], sum(sizes), *others[axis:])
        outputs = tuple(f"part_{number}" for number in range(len(sizes)))
        op = SplitV(name="part_0", inputs=(SOURCE,), outputs=outputs, axis=axis, part_sizes=sizes)
        yield (shape, axis, sizes), moved(draw, op, shape)
