"""A function of one tensor that several operators spell, as one int8 operator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import Layout, OnnxNode
from tinyml.ops.contract.operator import FloatSteps
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.families.pointwise import PointwiseOperator
from tinyml.ops.families.unary import UnaryOperator

# What the steps call the tensors that the operator reads and writes.
SOURCE, RESULT = "function/source", "function/result"

# The optimized resolvers have a float kernel of every operator.
OPTIMIZED = (Oracle.TFLITE_RUNTIME_OPTIMIZED, Oracle.LITERT_OPTIMIZED)


@dataclass(frozen=True, kw_only=True)
class Function(UnaryOperator):
    """What ``steps``, run one after another, make of the input: a table of its 256 values.

    The steps are float: they read ``SOURCE``, each other's outputs and ``constants``, each of one
    element; the last of them writes ``RESULT``. ``inner`` are the tensors between them.
    """

    steps: tuple[PointwiseOperator, ...]
    inner: tuple[Tensor, ...]
    constants: tuple[Tensor, ...]

    opcodes: ClassVar[tuple[str, ...]] = ("FUNCTION",)
    int8_version: ClassVar[int | None] = None

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Take all steps, each rounded to float32 as TFLite's kernels do."""
        values: dict[str, Any]
        values = {tensor.name: tensor.constant.reshape(()) for tensor in self.constants}
        values[SOURCE] = x
        for step in self.steps:
            with np.errstate(all="ignore"):
                values[step.outputs[0]] = step.as_step(xp, *(values[name] for name in step.inputs))
        return values[RESULT]

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Those that count for every step, else the kernels that any float operator has."""
        inner = self._inner_graph(graph)
        found = [step.oracles_in(inner) for step in self.steps]
        common = tuple(oracle for oracle in found[0] if all(oracle in other for other in found))
        return common or OPTIMIZED

    def float_steps(self, graph: Graph, source: str, output: str) -> FloatSteps:
        """The steps themselves, between the two tensors."""
        names = {SOURCE: source, RESULT: output}
        steps = tuple(step.renamed(names) for step in self.steps)
        return FloatSteps(steps, self._tensors, saturate=self.leaves_int32(graph))

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """The nodes of all steps, float in between."""
        inner = self._inner_graph(graph)
        names = {SOURCE: self.inputs[0], RESULT: self.outputs[0]}
        nodes = (node for step in self.steps for node in step.renamed(names).to_onnx(inner))
        return tuple(self._with_inline_constants(node) for node in nodes)

    @property
    def _tensors(self) -> tuple[Tensor, ...]:
        return (*self.inner, *self.constants)

    def _inner_graph(self, graph: Graph) -> Graph:
        """Everything that the steps read and write, float, the ends under both their names."""
        shape = graph.tensor(self.inputs[0]).shape
        ends = (SOURCE, RESULT, self.inputs[0], self.outputs[0])
        floats = (Tensor(name, shape, DType.FLOAT32) for name in ends)
        tensors = {tensor.name: tensor for tensor in (*floats, *self._tensors)}
        return Graph(self.name, tensors, self.steps, self.inputs, self.outputs)

    def _with_inline_constants(self, node: OnnxNode) -> OnnxNode:
        constants = {tensor.name: tensor.constant.reshape(()) for tensor in self.constants}

        inputs = tuple(
            InlineConstant(source, constants[source])
            if isinstance(source, str) and source in constants
            else source
            for source in node.inputs
        )
        return replace(node, inputs=inputs, layout=Layout.ANY)
