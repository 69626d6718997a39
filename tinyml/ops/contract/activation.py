"""Activations fused into the operator before them."""

from __future__ import annotations

import enum
import math
from dataclasses import replace
from typing import Any

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import Tensor
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import Layout, OnnxNode
from tinyml.ops.contract.tflite import TfliteNode


class Activation(enum.Enum):
    """Fused activations; the value is the schema's ActivationFunctionType."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Activation:
        """Read the node's fused activation; ModelError for one the device cannot fuse."""
        code = node.options.get("fusedActivationFunction", 0)
        try:
            return cls(code)
        except ValueError:
            raise ModelError(
                f"{node.opcode} '{node.name}': fused activation {code} is not supported, "
                f"expected one of {', '.join(a.name for a in cls)}"
            ) from None

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest real output."""
        return {
            Activation.NONE: (-math.inf, math.inf),
            Activation.RELU: (0.0, math.inf),
            Activation.RELU_N1_TO_1: (-1.0, 1.0),
            Activation.RELU6: (0.0, 6.0),
        }[self]

    def apply(self, xp: ArrayLibrary, x: Any) -> Any:
        """Clamp float32 to the bounds."""
        low, high = map(np.float32, self.bounds)
        if math.isfinite(low):
            x = xp.maximum(x, low)
        return xp.minimum(x, high) if math.isfinite(high) else x


def quantized_bounds(bounds: tuple[float, float], output: Tensor) -> tuple[int, int]:
    """Clamp limits in the output's integers (TFLite's CalculateActivationRangeQuantized)."""
    if output.dtype not in LIMITS:
        raise ModelError(
            f"tensor '{output.name}' is {output.dtype.value} in a quantized model, expected "
            "integers with a scale; quantize the whole model"
        )
    qmin, qmax = LIMITS[output.dtype]
    low, high = (_quantized_bound(bound, output) for bound in bounds)
    return int(max(qmin, low)), int(min(qmax, high))


def _quantized_bound(bound: float, output: Tensor) -> float:
    """``zero_point + round(bound / scale)`` in float32, halves away from zero."""
    if math.isinf(bound):
        return bound
    ratio = float(np.float32(bound) / np.float32(output.scale))
    return output.zero_point + math.copysign(math.floor(abs(ratio) + 0.5), ratio)


def with_onnx_activation(node: OnnxNode, activation: Activation) -> tuple[OnnxNode, ...]:
    """Follow an ONNX node with its activation as a node of its own."""
    if activation is Activation.NONE:
        return (node,)
    before = f"{node.outputs[0]}/before_activation"
    head = replace(node, outputs=(before,), quantized_like="")
    clip = clip_node(before, node.outputs[0], activation.bounds)
    return head, replace(clip, quantized_like=node.quantized_like)


def clip_node(source: str, output: str, bounds: tuple[float, float]) -> OnnxNode:
    """Relu where it is one, Clip otherwise."""
    if bounds == Activation.RELU.bounds:
        return OnnxNode(op_type="Relu", inputs=(source,), outputs=(output,), layout=Layout.ANY)
    limits = (
        InlineConstant("minimum", np.array(bounds[0], np.float32)),
        InlineConstant("maximum", np.array(bounds[1], np.float32)),
    )
    return OnnxNode(op_type="Clip", inputs=(source, *limits), outputs=(output,), layout=Layout.ANY)
