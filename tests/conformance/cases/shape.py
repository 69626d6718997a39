from collections.abc import Iterator
from typing import Any

from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph
from tinyml.ops.shape import ShapeOf

SHAPES = 18


def cases() -> Iterator[tuple[Any, Graph]]:
    """As an output of the model, which it seldom is."""
    draw = Draw("shape")
    for _ in range(SHAPES):
        shape = draw.shape(draw.integer(1, 5), 9)
        for dtype in (DType.INT32, DType.INT64):
            op = ShapeOf(name="shape", inputs=(SOURCE,), outputs=(OUTPUT,), dtype=dtype)
            graph = single_operator(op, [int8_tensor(SOURCE, shape, draw.quant())], None)
            yield (shape, dtype), graph
