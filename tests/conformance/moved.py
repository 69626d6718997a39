"""Graphs of operators that move the bytes of one tensor."""

from single_operator import SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.base import Operator


def moved(draw: Draw, op: Operator, shape: Shape) -> Graph:
    """The source has that shape; all tensors share their scale and zero point."""
    quant = draw.quant()
    return single_operator(op, [int8_tensor(SOURCE, shape, quant)], quant)
