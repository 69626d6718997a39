from collections.abc import Iterator
from typing import Any

from draw.rescaled import rescalings
from single_operator import OUTPUT, SOURCE, Draw, single_operator, symmetric

from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.quantize import Quantize

ALL_VALUES = (1, 16, 16, 1)
SHAPES = ((1,), (7,), (3, 5), (2, 3, 3))


INT8, INT16, INT32 = DType.INT8, DType.INT16, DType.INT32


def cases() -> Iterator[tuple[Any, Graph]]:
    """From integers to integers, inside a model."""
    shorter = ((INT8, INT8), (INT16, INT16), (INT16, INT8), (INT8, INT16))
    for source_dtype, dtype in (*shorter, (INT8, INT32), (INT16, INT32)):
        yield from _cases(source_dtype, dtype)


def _cases(source_dtype: DType, dtype: DType) -> Iterator[tuple[Any, Graph]]:
    draw = Draw(f"quantize {source_dtype.value} {dtype.value}")
    for source, output in _rescalings(draw, source_dtype, dtype):
        shape = draw.one_of(ALL_VALUES, ALL_VALUES, *SHAPES)
        op = Quantize(name="quantize", inputs=(SOURCE,), outputs=(OUTPUT,), dtype=dtype)
        graph = single_operator(op, [Tensor(SOURCE, shape, source_dtype, source)], output)
        yield (shape, source_dtype, source, dtype, output), graph


def _rescalings(
    draw: Draw, source_dtype: DType, dtype: DType
) -> Iterator[tuple[QuantParams, QuantParams]]:
    """Of int16, what fits 32 bits after rescaling; int32 is made of int16 about any number."""
    for source, output in rescalings(draw):
        ratio = source.scale[0] / output.scale[0]
        if source_dtype is INT16 and ratio >= 2 ** (14 if dtype is INT32 else 15):
            continue
        if (source_dtype, dtype) == (INT16, INT32):
            offset = draw.one_of(0, -32768, 32767, draw.integer(-32768, 32767))
            source = QuantParams.per_tensor(source.scale[0], offset)
        elif source_dtype is INT16:
            source = symmetric(source)
        yield source, output if dtype is INT8 else symmetric(output)


def edges() -> Iterator[Graph]:
    """From float to integers, at a model's edge."""
    for dtype in (INT8, INT16):
        draw = Draw(f"quantize edges {dtype.value}")
        for _, output in _rescalings(draw, dtype, dtype):
            op = Quantize(name="quantize", inputs=(SOURCE,), outputs=(OUTPUT,), dtype=dtype)
            yield single_operator(op, [Tensor(SOURCE, (1, 1000), DType.FLOAT32)], output)
