"""PADV2: PAD with a value of the model's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.affine import dequantize
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands, float_constant
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.pad import Pad, read_onnx_paddings


@dataclass(frozen=True, kw_only=True)
class PadV2(Pad):
    """The second input is a constant of one element, which stands before and after the others."""

    opcodes: ClassVar[tuple[str, ...]] = ("PADV2",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_pad"),
        DType.INT16: ("tinyml_pad_s16",),
    }
    options_table: ClassVar[str] = "PadV2Options"
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Pad": Operands.ANY}

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Pad with a number that is not 0."""
        value = node.scalar(2, 0.0)
        if node.attributes.get("mode", "constant") != "constant" or value == 0:
            return None
        constant = float_constant(node.inner("value"), value)
        pad = cls(
            name=node.name,
            inputs=(node.inputs[0], constant.name),
            outputs=node.outputs,
            paddings=read_onnx_paddings(node),
        )
        return OnnxLowering(ops=(pad,), constants=(constant,))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape, each dimension grown by its paddings."""
        source, value = (graph.tensor(name) for name in self.inputs)
        if value.data is None or value.size != 1 or value.dtype is not source.dtype:
            raise self.error(
                f"value '{value.name}' is {value.dtype.value} {value.shape}, expected a constant "
                f"of one element and the input's type {source.dtype.value}"
            )
        return super().infer(graph)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so input, value and output share their parameters."""
        del graph
        return QuantizationRule(inputs_follow_output=True)

    def onnx_value(self, graph: Graph) -> tuple[InlineConstant, ...]:
        """Give the real number."""
        value = graph.tensor(self.inputs[1])
        real = value.constant if value.quant is None else dequantize(value.constant, value.quant)
        return (InlineConstant("value", real.astype(np.float32).reshape(())),)

    def unit(self, graph: Graph) -> int:
        """The kernel of each dtype counts its elements."""
        del graph
        return 1

    def value(self, graph: Graph) -> int:
        """Give the value as it is quantized."""
        return int(graph.tensor(self.inputs[1]).constant.item())
