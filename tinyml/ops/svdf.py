"""SVDF: a fully connected layer over the last steps of its input, factorized per filter.

Each filter weighs the input to one number a step, keeps the last of them, and weighs those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Tensor, TensorSpec
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.stateful import StatefulOperator

INPUTS = 5


@dataclass(frozen=True, kw_only=True)
class Svdf(StatefulOperator):
    """Inputs: source, weights of features, weights of time, bias or none, state.

    The fused activation is RELU, which the integer reference demands and does not compute: its
    outputs end where int8 does.
    """

    rank: int

    opcodes: ClassVar[tuple[str, ...]] = ("SVDF",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {DType.INT8: ("tinyml_svdf_s8",)}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read rank and activation."""
        operator = cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            rank=int(node.options.get("rank", 0)),
        )
        if Activation.from_tflite(node) is not Activation.RELU:
            raise operator.error("expected the fused activation RELU, as TFLite's int8 asks")
        if len(node.inputs) != INPUTS or not node.inputs[4]:
            raise operator.error(f"has {len(node.inputs)} inputs, expected {INPUTS} with a state")
        return operator

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """One value per unit, which is ``rank`` filters."""
        require_dtype(self, graph)
        source, features, time = (graph.tensor(name) for name in self.inputs[:3])
        shapes = (source.shape, features.shape, time.shape)
        if any(len(shape) != 2 or 0 in shape for shape in shapes):
            raise self.error(f"input and weights have shapes {shapes}, expected two dimensions")
        filters, memory = time.shape
        if features.shape != (filters, source.shape[1]):
            raise self.error(f"input and weights have shapes {shapes}, which do not fit together")
        if self.rank < 1 or filters % self.rank:
            raise self.error(f"rank is {self.rank}, expected a divisor of the {filters} filters")
        units = filters // self.rank
        self.require_input(graph, 1, DType.INT8, features.shape)
        self.require_input(graph, 2, DType.INT16, time.shape)
        if self.inputs[3]:
            self.require_input(graph, 3, DType.INT32, (units,))
        self.require_variable(graph, 4)
        self.require_input(graph, 4, DType.INT16, (source.shape[0], filters * memory))
        return (TensorSpec((source.shape[0], units), DType.INT8),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Name the weights and the bias; only models that are int8 already come here."""
        del graph
        return QuantizationRule(weights={1: None}, bias=3)

    def check_quantized(self, graph: Graph) -> None:
        """Every scale per tensor, weights and state without zero point."""
        self.require_one_scale(graph, (*self.inputs[:3], self.inputs[4], *self.outputs))
        for index in (1, 2):
            weights = graph.tensor(self.inputs[index])
            if not weights.is_constant or weights.zero_point:
                raise self.error(f"weights '{weights.name}' must be constant, with zero point 0")

    def macs(self, graph: Graph) -> int:
        """Both weightings of every filter."""
        batches = graph.tensor(self.inputs[0]).shape[0]
        return batches * sum(graph.tensor(name).size for name in self.inputs[1:3])

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 3, which brought int8."""
        del graph
        return TfliteOp(
            opcode="SVDF",
            version=3,
            inputs=self.inputs,
            options_table="SVDFOptions",
            options={"rank": self.rank, "fusedActivationFunction": Activation.RELU.value},
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Call a kernel of our own."""
        source, features, time = (graph.tensor(name) for name in self.inputs[:3])
        state, output = graph.tensor(self.inputs[4]), graph.tensor(self.outputs[0])
        feature_multiplier, feature_shift = _multiplier(source, features, state)
        output_multiplier, output_shift = _multiplier(state, time, output)
        fields = {
            "batches": source.shape[0],
            "input_size": source.shape[1],
            "units": output.shape[1],
            "rank": self.rank,
            "memory": time.shape[1],
            "input_offset": -source.zero_point,
            "feature_multiplier": feature_multiplier,
            "feature_shift": feature_shift,
            "output_multiplier": output_multiplier,
            "output_shift": output_shift,
            "output_offset": output.zero_point,
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_svdf_params", "params", fields),
                *map(TensorPointer, (*self.inputs, *self.outputs)),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))


def _multiplier(first: Tensor, second: Tensor, result: Tensor) -> tuple[int, int]:
    """Multiply and divide scales in float32, as TFLite does here."""
    scales = (np.float32(tensor.scale) for tensor in (first, second, result))
    one, other, divisor = scales
    return quantize_multiplier(float(one * other / divisor))
