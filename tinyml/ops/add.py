"""ADD of two tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.dtypes import VERSIONS, Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands, float_constant
from tinyml.ops.families.elementwise import common_scale, is_flat, walk_kernel
from tinyml.ops.families.sums import SumOperator
from tinyml.ops.mul import Mul
from tinyml.ops.onnx.elementwise import chained_lowering


@dataclass(frozen=True, kw_only=True)
class Add(SumOperator):
    """Elementwise sum with broadcasting and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("ADD",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("arm_elementwise_add_s8", "tinyml_add_s8"),
        DType.INT16: ("arm_elementwise_add_s16", "tinyml_add_s16"),
        DType.INT32: ("tinyml_add_s32",),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "Add": Operands.ANY,
        "HardSigmoid": Operands.ANY,
        "Sum": Operands.ANY,
    }
    options_table: ClassVar[str] = "AddOptions"
    onnx_type: ClassVar[str] = "Add"

    def joint(self, xp: ArrayLibrary, first: Any, second: Any) -> Any:
        """The sum."""
        return xp.add(first, second)

    def version(self, graph: Graph) -> int:
        """The version that brought the dtype."""
        return VERSIONS.get(graph.tensor(self.inputs[0]).dtype, 1)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read an Add or a Sum; a HardSigmoid is ``relu6(6 alpha x + 6 beta) / 6``."""
        if node.op_type != "HardSigmoid":
            return chained_lowering(cls, node, activation=Activation.NONE)
        alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
        values = {"slope": 6 * alpha, "offset": 6 * beta, "sixth": 1 / 6}
        constants = tuple(float_constant(node.inner(key), value) for key, value in values.items())
        slope, offset, sixth = (constant.name for constant in constants)
        scaled, ramp = node.inner("scaled"), node.inner("ramp")
        steps = (
            (Mul, node.inputs[0], slope, scaled, Activation.NONE),
            (cls, scaled, offset, ramp, Activation.RELU6),
            (Mul, ramp, sixth, node.name, Activation.NONE),
        )
        ops = tuple(
            kind(name=output, inputs=(first, second), outputs=(output,), activation=activation)
            for kind, first, second, output, activation in steps
        )
        return OnnxLowering(ops=ops, constants=constants)

    def to_c(self, graph: Graph) -> Kernel:
        """Rescale both inputs to twice the larger scale, add, rescale to the output's.

        CMSIS-NN's kernel does it for inputs of one shape, ours where one is broadcast.
        """
        if graph.tensor(self.inputs[0]).dtype is DType.INT32:
            return walk_kernel(graph, self)
        flat, broadcast = self.kernel_names(graph)
        if is_flat(graph, self):
            return self._cmsis_nn_kernel(graph, flat)
        return self.combine(graph, broadcast)

    def _cmsis_nn_kernel(self, graph: Graph, function: str) -> Kernel:
        first, second = (graph.tensor(name) for name in self.inputs)
        output = graph.tensor(self.outputs[0])
        common = common_scale(graph, self)
        call = KernelCall(
            function=function,
            arguments=(
                TensorPointer(first.name),
                TensorPointer(second.name),
                -first.zero_point,
                *quantize_multiplier(first.scale / common),
                -second.zero_point,
                *quantize_multiplier(second.scale / common),
                self.left_shift(graph),
                TensorPointer(output.name),
                output.zero_point,
                *quantize_multiplier(self.output_multiplier(graph)),
                *self.limits(graph),
                output.size,
            ),
            returns_status=True,
        )
        return Kernel(calls=(call,), may_overwrite=self.inputs)
