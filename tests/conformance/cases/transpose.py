from collections.abc import Iterator
from itertools import permutations
from typing import Any

from draw.moved import moved, with_int16
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.transpose import Transpose

# Every order of up to four dimensions, some of five.
ORDERS = (
    (0,),
    *permutations(range(2)),
    *permutations(range(3)),
    *permutations(range(4)),
    (4, 3, 2, 1, 0),
    (1, 0, 3, 2, 4),
    (0, 3, 1, 4, 2),
    (2, 3, 4, 0, 1),
)
NCHW_TO_NHWC = (0, 2, 3, 1)


@with_int16
def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("transpose")
    drawn = [(order, draw.shape(len(order), 6)) for order in ORDERS]
    for order, shape in (*drawn, (NCHW_TO_NHWC, (1, 3, 16, 16)), (NCHW_TO_NHWC, (2, 8, 1, 5))):
        op = Transpose(name="transpose", inputs=(SOURCE,), outputs=(OUTPUT,), permutation=order)
        yield (order, shape), moved(draw, op, shape)
