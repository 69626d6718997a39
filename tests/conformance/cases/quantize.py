from collections.abc import Iterator
from typing import Any

from rescaled import rescalings
from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.quantize import Quantize

ALL_VALUES = (1, 16, 16, 1)
SHAPES = ((1,), (7,), (3, 5), (2, 3, 3))


def cases() -> Iterator[tuple[Any, Graph]]:
    """From int8 to int8, inside a model."""
    draw = Draw("quantize")
    for source, output in rescalings(draw):
        shape = draw.one_of(ALL_VALUES, ALL_VALUES, *SHAPES)
        op = Quantize(name="quantize", inputs=(SOURCE,), outputs=(OUTPUT,))
        graph = single_operator(op, [int8_tensor(SOURCE, shape, source)], output)
        yield (shape, source, output), graph


def edges() -> Iterator[Graph]:
    """From float to int8, at a model's edge."""
    draw = Draw("quantize edges")
    for _, output in rescalings(draw):
        op = Quantize(name="quantize", inputs=(SOURCE,), outputs=(OUTPUT,))
        yield single_operator(op, [Tensor(SOURCE, (1, 1000), DType.FLOAT32)], output)
