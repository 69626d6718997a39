"""SOFTMAX over the last dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, QuantParams, Tensor, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.numerics.interpolated import HIGH, LOW, interpolated_table
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS, Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp

# Integer bits of the fixed-point differences from the row maximum (kScaledDiffIntegerBits).
DIFF_INTEGER_BITS = 5
# Elements from which a row's exponentials, each at most 1, may add up to 512.
WIDE_ROW = 512
OUTPUT_QUANT = QuantParams.per_tensor(1 / 256, -128)
WIDE_OUTPUT_QUANT = QuantParams.per_tensor(1 / 32768, 0)
# Of int8 to int16, which files for TFLite Micro have: as fine as 16 bits can be. TFLite takes
# scales that differ from it by a thousandth, and computes the same.
MIXED_OUTPUT_QUANT = QuantParams.per_tensor(1 / 65536, -32768)
CLOSE = 1e-3

# int16: exponentials of differences down to -10 count, the rest is nothing.
SMALLEST_EXPONENT = 10.0
# Differences take 17 bits, a row's exponentials 15 each.
LARGEST_WIDE_SHIFT = 14
LARGEST_WIDE_ROW = 65535


@dataclass(frozen=True, kw_only=True)
class Softmax(Operator):
    """``exp(beta x) / sum exp(beta x)`` along the last dimension."""

    beta: float
    widens: bool = False  # the output of an int8 input is int16

    opcodes: ClassVar[tuple[str, ...]] = ("SOFTMAX",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("arm_softmax_s8", "tinyml_softmax_wide_s8", "arm_softmax_s8_s16"),
        DType.INT16: ("tinyml_softmax_s16",),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Softmax": Operands.AXIS_LAST}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read beta, and whether int8 becomes int16."""
        beta = float(node.options.get("beta", 1.0))
        dtypes = [node.tensors[name].dtype for name in (*node.inputs[:1], *node.outputs[:1])]
        operator = cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            beta=beta,
            widens=dtypes == [DType.INT8, DType.INT16],
        )
        if not (math.isfinite(beta) and beta > 0):
            raise operator.error(f"beta is {beta}, expected a positive number")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Nothing to read: the axis is last already."""
        softmax = cls(name=node.name, inputs=node.inputs, outputs=node.outputs, beta=1.0)
        return OnnxLowering(ops=(softmax,))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the input, or int16 of int8."""
        dtype = require_dtype(self, graph)
        source = graph.tensor(self.inputs[0])
        if not source.shape or source.size == 0:
            raise self.error(f"input '{source.name}' has shape {source.shape}, expected elements")
        is_mixed = self.widens and dtype is DType.INT8
        if is_mixed and source.shape[-1] >= WIDE_ROW:  # arithmetic is undefined, as in int8
            raise self.error(
                f"input '{source.name}' has rows of {source.shape[-1]}, expected at most "
                f"{WIDE_ROW - 1} from int8 to int16"
            )
        return (TensorSpec(source.shape, DType.INT16 if is_mixed else dtype),)

    @property
    def asymmetric_int16(self) -> tuple[str, ...]:
        """The output of an int8 input."""
        return self.outputs if self.widens else ()

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Probabilities lie in [0, 1), which 1/256 and -128 cover, or 1/32768 in int16."""
        wide = self._mixed_quant(graph) if self.widens else WIDE_OUTPUT_QUANT
        return QuantizationRule(fixed_output=OUTPUT_QUANT, fixed_wide_output=wide)

    def _mixed_quant(self, graph: Graph) -> QuantParams:
        """The output's own parameters where they are as good as the right ones."""
        own, right = graph.tensor(self.outputs[0]).quant, MIXED_OUTPUT_QUANT
        if own is None or own.zero_point != right.zero_point:
            return right
        return own if math.isclose(own.scale[0], right.scale[0], rel_tol=CLOSE) else right

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Scale by beta, then normalize."""
        del graph
        scaled = operands[0] if self.beta == 1 else operands[0] * np.float32(self.beta)
        return (xp.softmax(scaled, -1),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype."""
        return TfliteOp(
            opcode="SOFTMAX",
            version=VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=self.inputs,
            options_table="SoftmaxOptions",
            options={"beta": self.beta},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Softmax, after a multiplication where beta is not 1."""
        del graph
        source, scaled = self.inputs[0], f"{self.name}/scaled"
        softmax = OnnxNode(
            op_type="Softmax",
            inputs=(source if self.beta == 1 else scaled,),
            outputs=self.outputs,
            attributes={"axis": -1},
        )
        if self.beta == 1:
            return (softmax,)
        beta = InlineConstant("beta", np.array(self.beta, np.float32))
        return OnnxNode(op_type="Mul", inputs=(source, beta), outputs=(scaled,)), softmax

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not TFLite Micro in int16: 3 of 12,194 values differed by 1."""
        is_wide = graph.tensor(self.inputs[0]).dtype is DType.INT16
        return ALL_BUT_MICRO if is_wide else self.oracles

    def to_c(self, graph: Graph) -> Kernel:
        """Call ``arm_softmax_s8`` with TFLite's parameters (PreprocessSoftmaxScaling).

        Rows whose exponentials may add up to 512 go through a kernel of our own, since
        CMSIS-NN's arithmetic, and TFLite's, is undefined there.
        """
        source = graph.tensor(self.inputs[0])
        if source.dtype is DType.INT16:
            return self._wide_kernel(graph, source)
        beta_scale = float(np.float32(self.beta)) * source.scale
        real = min(beta_scale * (1 << (31 - DIFF_INTEGER_BITS)), 2.0**31 - 1)
        if real <= 1:
            raise self.error(
                f"input '{source.name}' has scale {source.scale:.9g} and beta is {self.beta:.9g}, "
                "too small for differences in 32 bits"
            )
        multiplier, shift = quantize_multiplier(real)
        radius = ((1 << DIFF_INTEGER_BITS) - 1) * 2.0 ** (31 - DIFF_INTEGER_BITS - shift)
        row = source.shape[-1]
        narrow, wide, mixed = self.kernel_names(graph)
        is_wide = row >= WIDE_ROW
        call = KernelCall(
            function=mixed if self.widens else wide if is_wide else narrow,
            arguments=(
                TensorPointer(source.name),
                source.size // row,
                row,
                multiplier,
                shift,
                -math.floor(radius),
                TensorPointer(self.outputs[0]),
            ),
            source=f"{wide}.c" if is_wide else None,
        )
        return Kernel(calls=(call,))

    def _wide_kernel(self, graph: Graph, source: Tensor) -> Kernel:
        """Call our int16 kernel: CMSIS-NN's lets a sum just below a power of two overflow."""
        row = source.shape[-1]
        product = float(np.float32(source.scale) * np.float32(self.beta))
        multiplier, shift = quantize_multiplier(product * LARGEST_WIDE_ROW / SMALLEST_EXPONENT)
        if shift > LARGEST_WIDE_SHIFT or row > LARGEST_WIDE_ROW:
            raise self.error(
                f"input '{source.name}' has scale {source.scale:.9g} and rows of {row}, beta is "
                f"{self.beta:.9g}: too much for 32 bits"
            )
        fields = {
            "rows": source.size // row,
            "row_size": row,
            "multiplier": multiplier,
            "shift": shift,
            "exponential": ConstantArray("exponential", _exponential_table()),
            "reciprocal": ConstantArray("reciprocal", _reciprocal_table()),
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_softmax_s16_params", "params", fields),
                TensorPointer(source.name),
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))


def _exponential_table() -> Array:
    """``exp`` from -10 to 0, with 15 fraction bits."""
    return interpolated_table(np.exp, _spread(SMALLEST_EXPONENT, HIGH), _spread(2.0, 0))


def _reciprocal_table() -> Array:
    """``1 / (1 + x)`` from 0 to 1, with 15 fraction bits."""
    return interpolated_table(lambda x: 1 / (1 + x), _spread(1.0, LOW), _spread(2.0, 0))


def _spread(width: float, zero_point: int) -> QuantParams:
    """Spread a range over all of int16."""
    return QuantParams.per_tensor(width / (HIGH - LOW), zero_point)
