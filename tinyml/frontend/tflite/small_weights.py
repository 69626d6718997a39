"""Weights that a .tflite stores small beside float activations: int8 of dynamic-range files.

The converter calls such operators hybrid. To ``quantize`` they are float operators: the weights
are widened to the real numbers that they stand for, and keep their scales, by which their integers
can be had again (float16 weights are behind a DEQUANTIZE, which is folded).
"""

from __future__ import annotations

from typing import Any

from tinyml.frontend.tflite.tensors import values_of
from tinyml.ir.graph import DType, Tensor
from tinyml.ir.verify import verify_quant
from tinyml.passes.widen_tables import widened

# Before converters wrote int8 it was uint8.
STORED = (DType.INT8, DType.UINT8)


def widen_weights(subgraph: Any, tensors: dict[str, Tensor], order: list[str]) -> None:
    """Let the quantized constants that float operators read, and no others, be float32.

    ModelError where the scales of one are not such.
    """
    hybrid, others = set[str](), set[str]()
    for raw in values_of(subgraph.operators):
        names = [order[index] for index in values_of(raw.inputs) if 0 <= index < len(order)]
        is_float = any(_is_float_activation(tensors[name]) for name in names)
        (hybrid if is_float else others).update(names)
    for name in sorted(hybrid - others):
        tensor = tensors[name]
        if tensor.is_constant and tensor.dtype in STORED:
            verify_quant(tensor)
            tensors[name] = widened(tensor)


def _is_float_activation(tensor: Tensor) -> bool:
    return tensor.dtype is DType.FLOAT32 and not tensor.is_constant
