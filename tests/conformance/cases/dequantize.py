from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from draw.rescaled import rescalings, wide_rescalings
from single_operator import OUTPUT, SOURCE, Draw, single_operator

from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.quantize import Quantize

ALL_VALUES = (1, 16, 16, 1)


def cases() -> Iterator[tuple[Any, Graph]]:
    """Models that end in float; the device stops at the integers before it."""
    draw = Draw("dequantize")
    for source, output in rescalings(draw):
        yield (source, output), _graph(source, output, DType.INT8)
    draw = Draw("dequantize int16")
    for source, output in wide_rescalings(draw):
        yield (DType.INT16, source, output), _graph(source, output, DType.INT16)


def _graph(source: QuantParams, output: QuantParams, dtype: DType) -> Graph:
    op = Quantize(name="quantize", inputs=(SOURCE,), outputs=("quantized",), dtype=dtype)
    graph = single_operator(op, [Tensor(SOURCE, ALL_VALUES, dtype, source)], output)
    exit_op = Dequantize(name="dequantize", inputs=("quantized",), outputs=(OUTPUT,))
    extended = graph.with_tensors(Tensor(OUTPUT, ALL_VALUES, DType.FLOAT32))
    return replace(extended, ops=(*graph.ops, exit_op), outputs=(OUTPUT,))
