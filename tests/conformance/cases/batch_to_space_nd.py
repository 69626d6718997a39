import math
from collections.abc import Iterator

from draw.moved import moved, with_int16
from draw.space_batches import Parameters, space_batches
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.batch_to_space_nd import BatchToSpaceND


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("batch_to_space_nd")
    for p in space_batches(draw):
        op = BatchToSpaceND(
            name="batch_to_space_nd",
            inputs=(SOURCE,),
            outputs=(OUTPUT,),
            block=p.block,
            borders=p.borders,
        )
        yield p, moved(draw, op, (p.cells[0] * math.prod(p.block), *p.cells[1:]))
