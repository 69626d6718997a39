from collections.abc import Iterator
from typing import Any

from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator, symmetric

from tinyml.ir.graph import DType, Graph, Shape, Tensor
from tinyml.ops.reshape import Reshape

# Ranks 0 to 5, dimensions of 1 that come and go.
SHAPES: tuple[Shape, ...] = (
    (24,),
    (1, 24),
    (24, 1),
    (4, 6),
    (1, 4, 6),
    (2, 3, 4),
    (1, 2, 3, 4),
    (2, 1, 12, 1),
    (1, 1, 2, 3, 4),
)


def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("reshape")
    pairs = [(a, b) for a in SHAPES for b in SHAPES if a != b]
    for source, shape in (*pairs[::2], ((1,), ()), ((), (1, 1)), ((1, 1, 1, 5), (5,))):
        quant = draw.quant()
        op = Reshape(name="reshape", inputs=(SOURCE,), outputs=(OUTPUT,), shape=shape)
        graph = single_operator(op, [int8_tensor(SOURCE, source, quant)], quant)
        yield (source, shape), graph
    for source, shape in pairs[1::2]:
        quant = symmetric(draw.quant())
        op = Reshape(name="reshape", inputs=(SOURCE,), outputs=(OUTPUT,), shape=shape)
        tensor = Tensor(SOURCE, source, DType.INT16, quant)
        yield (source, shape, DType.INT16), single_operator(op, [tensor], quant)
