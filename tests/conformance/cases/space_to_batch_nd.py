from collections.abc import Iterator

from draw.moved import moved, with_int16
from draw.space_batches import Parameters, space_batches
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.space_to_batch_nd import SpaceToBatchND


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("space_to_batch_nd")
    for p in space_batches(draw):
        sizes = zip(p.cells[1:-1], p.block, p.borders, strict=True)
        image = tuple(cells * step - sum(border) for cells, step, border in sizes)
        op = SpaceToBatchND(
            name="space_to_batch_nd",
            inputs=(SOURCE,),
            outputs=(OUTPUT,),
            block=p.block,
            borders=p.borders,
        )
        yield p, moved(draw, op, (p.cells[0], *image, p.cells[-1]))
