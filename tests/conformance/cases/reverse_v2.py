from collections.abc import Iterator
from itertools import combinations
from typing import Any

from draw.moved import moved, with_int16
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.reverse_v2 import ReverseV2


@with_int16
def cases() -> Iterator[tuple[Any, Graph]]:
    """All runs of neighbouring dimensions of every rank."""
    draw = Draw("reverse_v2")
    for rank in (1, 2, 3, 4, 5):
        for first, end in combinations(range(rank + 1), 2):
            shape, axes = draw.shape(rank, 7), tuple(range(first, end))
            op = ReverseV2(name="reverse_v2", inputs=(SOURCE,), outputs=(OUTPUT,), axes=axes)
            yield (shape, axes), moved(draw, op, shape)
