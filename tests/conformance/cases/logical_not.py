from collections.abc import Iterator
from typing import Any

from draw.booleans import bool_tensor
from single_operator import OUTPUT, SOURCE, Draw, single_operator

from tinyml.ir.graph import Graph
from tinyml.ops.logical_not import LogicalNot

SIZES = range(1, 21)
RANDOM_CASES = 20


def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("logical_not")
    shapes = (draw.shape(draw.integer(2, 4), 6) for _ in range(RANDOM_CASES))
    for shape in (*((size,) for size in SIZES), *shapes):
        op = LogicalNot(name="logical_not", inputs=(SOURCE,), outputs=(OUTPUT,))
        yield shape, single_operator(op, [bool_tensor(SOURCE, shape)], None)
