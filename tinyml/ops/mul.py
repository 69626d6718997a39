"""MUL of two tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import DType, Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.elementwise import (
    ArithmeticOperator,
    elementwise_kernel,
    finishing,
    input_walk,
    is_flat,
    walk_kernel,
)
from tinyml.ops.onnx.elementwise import chained_lowering

# Bits to the left that products may move without leaving 32: int8's take 16 and a sign, int16's 30.
LARGEST_SHIFTS = {DType.INT8: 14, DType.INT16: 0}

# For inputs of one shape, and where one is broadcast.


@dataclass(frozen=True, kw_only=True)
class Mul(ArithmeticOperator):
    """Elementwise product with broadcasting and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("MUL",)
    five_in_tflite_runtime: ClassVar[bool] = False
    kernels: ClassVar[Kernels] = {
        **int8_kernels("arm_elementwise_mul_s8", "tinyml_mul_s8"),
        DType.INT16: ("arm_elementwise_mul_s16", "tinyml_mul_s16"),
        DType.INT32: ("tinyml_mul_s32",),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Mul": Operands.ANY, "Pow": Operands.ANY}
    options_table: ClassVar[str] = "MulOptions"
    onnx_type: ClassVar[str] = "Mul"

    def joint(self, xp: ArrayLibrary, first: Any, second: Any) -> Any:
        """The product."""
        return xp.multiply(first, second)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Mul, or a Pow by two."""
        if node.op_type == "Mul":
            return chained_lowering(cls, node, activation=Activation.NONE)
        if node.scalar(1, 1.0) != 2:
            return None
        op = cls(
            name=node.name,
            inputs=node.inputs[:1] * 2,
            outputs=node.outputs,
            activation=Activation.NONE,
        )
        return OnnxLowering(ops=(op,))

    def version(self, graph: Graph) -> int:
        """Version 3 brought output scales finer than the product of the inputs', 4 int16."""
        dtype = graph.tensor(self.inputs[0]).dtype
        if dtype is not DType.INT8:
            return 4 if dtype is DType.INT16 else 1
        return 3 if self._multiplier(graph) >= 1 else 2

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not TFLite Micro in int16: one value of the suite's cases differed by 1."""
        found = super().oracles_in(graph)
        is_wide = graph.tensor(self.inputs[0]).dtype is DType.INT16
        return tuple(oracle for oracle in found if oracle in ALL_BUT_MICRO) if is_wide else found

    def sum_scale(self, graph: Graph, *scales: Any) -> Any:
        """Products of the inputs."""
        del graph
        return scales[0] * scales[1]

    def macs(self, graph: Graph) -> int:
        """One product per element of the output."""
        return graph.tensor(self.outputs[0]).size

    def to_c(self, graph: Graph) -> Kernel:
        """Multiply and rescale: CMSIS-NN's kernel, or ours where an input is broadcast."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT32:
            return walk_kernel(graph, self)
        first, second = (graph.tensor(name) for name in self.inputs)
        output = graph.tensor(self.outputs[0])
        real = self._multiplier(graph)
        multiplier, shift = quantize_multiplier(real)
        if shift > LARGEST_SHIFTS[first.dtype]:
            raise self.error(
                f"output '{output.name}' has scale {output.scale:.9g}, too small beside the "
                f"inputs' {first.scale:.9g} and {second.scale:.9g} for 32-bit products"
            )
        flat, broadcast = self.kernel_names(graph)
        if not is_flat(graph, self):
            fields = {
                "walk": input_walk(graph, self),
                "first_offset": -first.zero_point,
                "second_offset": -second.zero_point,
                "output": finishing(output, real, self.limits(graph)),
            }
            params = Struct("tinyml_mul_params", "params", fields)
            return elementwise_kernel(graph, self, params, broadcast)
        call = KernelCall(
            function=flat,
            arguments=(
                TensorPointer(first.name),
                TensorPointer(second.name),
                -first.zero_point,
                -second.zero_point,
                TensorPointer(output.name),
                output.zero_point,
                multiplier,
                shift,
                *self.limits(graph),
                output.size,
            ),
            returns_status=True,
        )
        return Kernel(calls=(call,), may_overwrite=self.inputs)

    def _multiplier(self, graph: Graph) -> float:
        """From the product of the inputs' scales to the output's, in float32 as TFLite has it."""
        first, second, output = (
            np.float32(graph.tensor(name).scale) for name in (*self.inputs, *self.outputs)
        )
        return float(first * second / output)
