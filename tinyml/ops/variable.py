"""READ_VARIABLE and ASSIGN_VARIABLE: a graph's state as an activation, and back.

The file's VAR_HANDLE and CALL_ONCE are no operators of the graph: they become its states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tinyml.ir.graph import DType, Graph, Tensor, TensorSpec
from tinyml.ops.contract.c import Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.operator import QuantizationRule, describe_quant
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import moved_by
from tinyml.ops.families.stateful import StatefulOperator


@dataclass(frozen=True, kw_only=True)
class _OfVariable(StatefulOperator):
    """What both do: the first input is the state."""

    kernels: ClassVar[Kernels] = moved_by("memcpy")

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Refuse float state: what it holds between inferences is not calibrated."""
        if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32:
            raise self.error(
                "a model that keeps float state cannot be quantized here; let the TFLite converter "
                "make it int8"
            )
        return QuantizationRule()

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, the only one."""
        del graph
        return TfliteOp(opcode=self.opcodes[0], version=1, inputs=self.inputs)

    def _state(self, graph: Graph) -> Tensor:
        name = self.inputs[0]
        if name not in graph.state_names:
            raise self.error(f"'{name}' is no variable that the model initialises")
        require_dtype(self, graph)
        return graph.tensor(name)

    def _copy(self, graph: Graph, target: str, source: str) -> Kernel:
        arguments = (TensorPointer(target), TensorPointer(source), graph.tensor(target).nbytes)
        call = KernelCall(function=self.kernel_name(graph), arguments=arguments)
        return Kernel(calls=(call,))

    def _require_same(self, state: Tensor, value: Tensor) -> None:
        if (state.shape, state.dtype, state.quant) != (value.shape, value.dtype, value.quant):
            raise self.error(
                f"'{value.name}' is {value.dtype.value} {value.shape} with "
                f"{describe_quant(value.quant)}, the variable '{state.name}' "
                f"{state.dtype.value} {state.shape} with {describe_quant(state.quant)}"
            )


@dataclass(frozen=True, kw_only=True)
class ReadVariable(_OfVariable):
    """What the state holds at this place of the schedule."""

    opcodes: ClassVar[tuple[str, ...]] = ("READ_VARIABLE",)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the state."""
        state = self._state(graph)
        return (TensorSpec(state.shape, state.dtype),)

    def check_quantized(self, graph: Graph) -> None:
        """Take the value as the state has it."""
        self._require_same(self._state(graph), graph.tensor(self.outputs[0]))

    def to_c(self, graph: Graph) -> Kernel:
        """Copy: a later operator may assign the state while its old value is still needed."""
        return self._copy(graph, self.outputs[0], self.inputs[0])


@dataclass(frozen=True, kw_only=True)
class AssignVariable(_OfVariable):
    """Give the state the value of the second input; there is no output."""

    opcodes: ClassVar[tuple[str, ...]] = ("ASSIGN_VARIABLE",)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Nothing, and a value that fits the state."""
        self._require_same(self._state(graph), graph.tensor(self.inputs[1]))
        return ()

    def to_c(self, graph: Graph) -> Kernel:
        """Copy."""
        return self._copy(graph, *self.inputs)
