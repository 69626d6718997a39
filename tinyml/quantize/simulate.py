"""A float graph run in real numbers, with hooks that put integers' real numbers in their place.

Imitating integers so is called fake quantization (arXiv 1806.08342, section 3.2): a number becomes
the real number behind the integer nearest to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.affine import dequantize, quantize
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.families.movement import MovementOperator
from tinyml.ops.reshape import Reshape
from tinyml.quantize.prepare import Prepared
from tinyml.quantize.weights import quantize_parameters


class Hooks(Protocol):
    """What stands in place of the numbers that the float graph holds and computes."""

    def constant(self, op: Operator, index: int, tensor: Tensor) -> Any:
        """Give the numbers of a constant as ``op`` reads it as its input ``index``."""

    def activation(self, op: Operator | None, name: str, value: Any) -> Any:
        """Give the numbers that readers see of an input of the graph, or of what ``op`` made."""


def run_graph(
    graph: Graph,
    library: ArrayLibrary,
    inputs: Mapping[str, Any],
    hooks: Hooks,
    wanted: Iterable[str],
) -> dict[str, Any]:
    """Values of the tensors ``wanted``, float32 (N, *shape without the batch of 1).

    ``inputs`` holds an array (N, ...) of each input. What nothing reads any more is let go.
    """
    wanted = frozenset(wanted)
    last = {name: op for op in graph.ops for name in op.present_inputs}
    values = {name: hooks.activation(None, name, value) for name, value in inputs.items()}
    for op in operators(graph):
        operands = [_operand(graph, hooks, values, op, index) for index in range(len(op.inputs))]
        results = op.compute(library, graph, *operands)
        for name, value in zip(op.outputs, results, strict=True):
            values[name] = hooks.activation(op, name, value)
        for name in set(op.present_inputs) - wanted:
            if last[name] is op:
                values.pop(name, None)
    return {name: values[name] for name in wanted}


def _operand(
    graph: Graph, hooks: Hooks, values: Mapping[str, Any], op: Operator, index: int
) -> Any:
    name = op.inputs[index]
    if not name:
        return None
    tensor = graph.tensor(name)
    return hooks.constant(op, index, tensor) if tensor.is_constant else values[name]


def keeps_codes(op: Operator) -> bool:
    """Whether the outputs hold the very integers of the input: what is moved is not rounded."""
    return isinstance(op, MovementOperator | Reshape)


class FloatHooks:
    """Everything as the float graph has it."""

    def constant(self, op: Operator, index: int, tensor: Tensor) -> Any:
        """The constant itself."""
        del op, index
        return tensor.data

    def activation(self, op: Operator | None, name: str, value: Any) -> Any:
        """The value itself."""
        del op, name
        return value


def real_parameters(prepared: Prepared) -> dict[tuple[str, int], Array]:
    """Real numbers behind the integers of weights and biases, by operator and place, float32."""
    graph, params = prepared.graph, prepared.params
    return {
        (op.name, index): dequantize(tensor.constant, tensor.quant)
        for op in operators(graph)
        for index, tensor in quantize_parameters(graph, op, params, prepared.scheme).items()
        if tensor.quant is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Hooks that imitate, with numpy, the integers a prepared graph will have.

    ``layers`` names the operators whose weights and outputs become integers, ``inputs`` says
    whether those of the graph do; ``parameters`` are ``real_parameters``.
    """

    prepared: Prepared
    parameters: Mapping[tuple[str, int], Array]
    layers: Collection[str]
    inputs: bool

    def constant(self, op: Operator, index: int, tensor: Tensor) -> Any:
        """Real numbers behind the integers of weights, biases and other operands."""
        if op.name not in self.layers:
            return tensor.data
        if tensor.name in self.prepared.params:
            return self._rounded(tensor.name, tensor.data)
        return self.parameters.get((op.name, index), tensor.data)

    def activation(self, op: Operator | None, name: str, value: Any) -> Any:
        """Round what a quantized layer makes, unless it moves integers that are there."""
        is_quantized = self.inputs if op is None else op.name in self.layers
        if not is_quantized or name not in self.prepared.params or (op and keeps_codes(op)):
            return value
        return self._rounded(name, value)

    def _rounded(self, name: str, value: Any) -> Any:
        params = self.prepared.params[name]
        return dequantize(quantize(value, params, self.prepared.dtypes[name]), params)
