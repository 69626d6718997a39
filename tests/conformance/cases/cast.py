from collections.abc import Iterator
from itertools import product
from typing import Any

from single_operator import OUTPUT, SOURCE, Draw, single_operator

from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.cast import ON_DEVICE, Cast

SHAPES = ((300,), (2, 3, 5))


def cases() -> Iterator[tuple[Any, Graph]]:
    """Every pair of types; int8 and int16 have scales, which do not count."""
    draw = Draw("cast")
    for source, output, shape in product(ON_DEVICE, ON_DEVICE, SHAPES):
        op = Cast(name="cast", inputs=(SOURCE,), outputs=(OUTPUT,), dtype=output)
        tensor = Tensor(SOURCE, shape, source, _quant(draw, source))
        yield (source, output, shape), single_operator(op, [tensor], _quant(draw, output))


def _quant(draw: Draw, dtype: DType) -> QuantParams | None:
    if dtype is DType.INT16:
        return QuantParams.per_tensor(draw.scale(), 0)
    return draw.quant() if dtype is DType.INT8 else None
