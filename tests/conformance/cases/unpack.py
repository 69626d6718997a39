from collections.abc import Iterator
from typing import Any

from draw.moved import moved, with_int16
from single_operator import SOURCE, Draw

from tinyml.ir.graph import Graph
from tinyml.ops.unpack import Unpack

RANDOM_CASES = 40


@with_int16
def cases() -> Iterator[tuple[Any, Graph]]:
    """Any dimension of tensors of up to five."""
    draw = Draw("unpack")
    for _ in range(RANDOM_CASES):
        shape = draw.shape(draw.integer(1, 5), 6)
        axis = draw.integer(0, len(shape) - 1)
        outputs = tuple(f"slice_{number}" for number in range(shape[axis]))
        op = Unpack(name="slice_0", inputs=(SOURCE,), outputs=outputs, axis=axis)
        yield (shape, axis), moved(draw, op, shape)
