from collections.abc import Iterator
from typing import Any

from draw.blocks import block_shapes
from draw.moved import moved
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.depth_to_space import DepthToSpace


def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("depth_to_space")
    for block, (batches, height, width, channels) in block_shapes(draw):
        shape = (batches, height, width, channels * block**2)
        op = DepthToSpace(
            name="depth_to_space", inputs=(SOURCE,), outputs=(OUTPUT,), block_size=block
        )
        yield (block, shape), moved(draw, op, shape)
