from collections.abc import Iterator
from typing import Any

from draw.blocks import block_shapes
from draw.moved import moved
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.space_to_depth import SpaceToDepth


def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("space_to_depth")
    for block, (batches, height, width, channels) in block_shapes(draw):
        shape = (batches, height * block, width * block, channels)
        op = SpaceToDepth(
            name="space_to_depth", inputs=(SOURCE,), outputs=(OUTPUT,), block_size=block
        )
        yield (block, shape), moved(draw, op, shape)
