"""MEAN over any dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, Shape, Tensor
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Layout, OnnxNode, Operands
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.families.reduction import ReductionOperator

# Groups of neighbouring dimensions tinyml_mean_s8 takes.
KERNEL_RUNS = 5


@dataclass(frozen=True, kw_only=True)
class Mean(ReductionOperator):
    """Average over ``axes``, which stay as 1 with ``keep_dims``."""

    opcodes: ClassVar[tuple[str, ...]] = ("MEAN",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_mean_s8"),
        DType.INT16: ("tinyml_mean_s16",),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "GlobalAveragePool": Operands.ANY,
        "ReduceMean": Operands.ANY,
    }

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def reduced(self, xp: ArrayLibrary, x: Any, axes: tuple[int, ...]) -> Any:
        """The average."""
        return xp.mean(x, axes)

    def sum_scale(self, graph: Graph, *scales: Any) -> Any:
        """Inputs, of which so many make an average."""
        shape = graph.tensor(self.inputs[0]).shape
        return scales[0] / math.prod(shape[axis] for axis in self.axes)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Write ReduceMean, whose axes are an attribute up to opset 17."""
        rank = len(graph.tensor(self.inputs[0]).shape)
        # The dimensions left have the same order in NHWC and NCHW.
        same_order = self.keep_dims or {1, 2} <= {*self.axes} or 3 in self.axes
        return (
            OnnxNode(
                op_type="ReduceMean",
                inputs=self.inputs,
                outputs=self.outputs,
                attributes={"axes": list(self.axes), "keepdims": int(self.keep_dims)},
                layout=Layout.ANY if rank == 4 and same_order else Layout.CHANNELS_LAST,
                axis_attributes=("axes",),
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Sum in int32, then one requantization that also divides by the count."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        sizes = self._runs(source.shape)
        multiplier, shift, count = mean_multiplier(source, output)
        low, high = LIMITS[source.dtype]
        if count * max(high - source.zero_point, source.zero_point - low) >= 2**31:
            raise self.error(
                f"the sum of {count} values may leave 32 bits; reduce '{source.name}' "
                f"{source.shape} in two steps"
            )
        params = {
            "sizes": sizes,
            "sum_offset": -source.zero_point * count,
            "multiplier": multiplier,
            "shift": shift,
            "output_offset": output.zero_point,
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_mean_params", "mean_params", params),
                TensorPointer(source.name),
                TensorPointer(output.name),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))

    def _runs(self, shape: Shape) -> list[int]:
        """Merge neighbouring dimensions to kept, reduced, kept, reduced, kept; ones are neither."""
        sizes, reducing = [1], False
        for axis, size in enumerate(shape):
            if size > 1 and (axis in self.axes) != reducing:
                sizes.append(1)
                reducing = not reducing
            sizes[-1] *= size
        if len(sizes) > KERNEL_RUNS:
            raise self.error(f"axes {self.axes} of {shape} form more than two separate groups")
        return sizes + [1] * (KERNEL_RUNS - len(sizes))


def mean_multiplier(source: Tensor, output: Tensor) -> tuple[int, int, int]:
    """Multiplier and shift that rescale a sum and divide it by the count, and the count.

    TFLite's reference kernel divides the multiplier, shifted as far left as it may go, instead of
    the sum (EvalIntegerMean); dividing the sum gives other bits.
    """
    count = source.size // output.size
    multiplier, shift = quantize_multiplier(source.scale / output.scale)
    headroom = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << headroom) // count, shift - headroom, count
