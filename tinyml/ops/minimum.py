"""MINIMUM of two tensors whose shapes broadcast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import DType, Op
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands, float_constant
from tinyml.ops.families.elementwise import ExtremumOperator
from tinyml.ops.maximum import Maximum
from tinyml.ops.onnx.elementwise import chained_lowering

# What float32 holds.
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True)
class Minimum(ExtremumOperator):
    """The smaller of two elements, with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("MINIMUM",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Clip": Operands.ANY, "Min": Operands.ANY}
    onnx_type: ClassVar[str] = "Min"
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_minimum_s8"),
        DType.INT16: ("tinyml_minimum_s16",),
        DType.INT32: ("tinyml_minimum_s32",),
    }

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """The smaller."""
        first, second = operands
        return xp.minimum(first, second)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Min, or a Clip to any bounds after a MAXIMUM."""
        if node.op_type == "Min":
            return chained_lowering(cls, node)
        low, high = node.scalar(1, -math.inf), node.scalar(2, math.inf)
        if (low, high) in {kind.bounds for kind in Activation} - {Activation.NONE.bounds}:
            return None  # a RELU of some kind
        bounds: list[tuple[type[ExtremumOperator], str, float]] = []
        if low > -math.inf:
            bounds.append((Maximum, "low", low))
        if high < math.inf or not bounds:
            bounds.append((cls, "high", min(high, LARGEST)))
        constants = tuple(float_constant(node.inner(suffix), value) for _, suffix, value in bounds)
        ops, source = list[Op](), node.inputs[0]
        for (kind, _, _), constant in zip(bounds, constants, strict=True):
            output = node.inner("raised") if len(ops) < len(bounds) - 1 else node.name
            ops.append(kind(name=output, inputs=(source, constant.name), outputs=(output,)))
            source = output
        return OnnxLowering(ops=tuple(ops), constants=constants)
