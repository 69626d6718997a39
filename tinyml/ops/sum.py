"""SUM over any dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, Struct
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode, Operands
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.families.reduction import ReductionOperator, reduction_kernel


@dataclass(frozen=True, kw_only=True)
class Sum(ReductionOperator):
    """Sum over ``axes``, which stay as 1 with ``keep_dims``."""

    opcodes: ClassVar[tuple[str, ...]] = ("SUM",)
    kernels: ClassVar[Kernels] = int8_kernels("tinyml_sum_s8")
    # The reference kernels of both larger runtimes take the int8 for uint8; TFLite Micro sums in
    # integers.
    oracles: ClassVar[tuple[Oracle, ...]] = (
        Oracle.TFLITE_RUNTIME_OPTIMIZED,
        Oracle.LITERT_OPTIMIZED,
    )
    litert: ClassVar[Oracle] = Oracle.LITERT_OPTIMIZED
    onnx_types: ClassVar[Mapping[str, Operands]] = {"ReduceSum": Operands.ANY}

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def reduced(self, xp: ArrayLibrary, x: Any, axes: tuple[int, ...]) -> Any:
        """The sum."""
        return xp.sum(x, axes)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Write ReduceSum, whose axes are an input since opset 13."""
        del graph
        axes = InlineConstant("axes", np.array(self.axes, np.int64))
        return (
            OnnxNode(
                op_type="ReduceSum",
                inputs=(*self.inputs, axes),
                outputs=self.outputs,
                attributes={"keepdims": int(self.keep_dims)},
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Sum in int32, then rescale each sum in float32.

        These are the steps of TFLite's optimized kernels. The reference kernels of both runtimes
        take the int8 for uint8, and give nonsense for any negative number.
        """
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        scale = np.float32(source.scale) / np.float32(output.scale)
        count = source.size // output.size
        bias = np.float32(-source.zero_point) * scale * np.float32(count)
        fields = {
            "reduction": self.walks(graph),
            "scale": float(scale),
            "bias": float(bias),
            "output_offset": output.zero_point,
        }
        params = Struct("tinyml_sum_params", "params", fields)
        return reduction_kernel(graph, self, params)
