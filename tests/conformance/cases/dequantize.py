from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rescaled import rescalings
from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.quantize import Quantize

ALL_VALUES = (1, 16, 16, 1)


def cases() -> Iterator[tuple[Any, Graph]]:
    """Models that end in float; the device stops at the int8 before it."""
    draw = Draw("dequantize")
    for source, output in rescalings(draw):
        op = Quantize(name="quantize", inputs=(SOURCE,), outputs=("quantized",))
        graph = single_operator(op, [int8_tensor(SOURCE, ALL_VALUES, source)], output)
        exit_op = Dequantize(name="dequantize", inputs=("quantized",), outputs=(OUTPUT,))
        extended = graph.with_tensors(Tensor(OUTPUT, ALL_VALUES, DType.FLOAT32))
        ops = (*graph.ops, exit_op)
        yield (source, output), replace(extended, ops=ops, outputs=(OUTPUT,))
