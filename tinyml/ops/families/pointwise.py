"""Operators whose every element depends on the elements at its place alone."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

from tinyml.ir.graph import Graph, Shape
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.operator import Operator
from tinyml.ops.families.batches import apart, broadcasts_as_it_is, joined


@dataclass(frozen=True, kw_only=True)
class PointwiseOperator(Operator):
    """An operator that may be one step of a function of one tensor."""

    @abc.abstractmethod
    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Real numbers to real numbers, float32 or bool, in the steps of TFLite's float kernel.

        The operands broadcast; where there is no finite number, the result is infinite or NaN.
        """

    def as_step(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """The same as one step of a function, whatever the numbers are."""
        return self.apply(xp, *operands)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Apply it, sample by sample where operands of other ranks would broadcast otherwise."""
        tensors = [graph.tensor(name) for name in self.inputs]
        shapes, output = self.operand_shapes(graph), graph.tensor(self.outputs[0]).shape
        as_they_are = [tensor.shape for tensor in tensors] == shapes
        if as_they_are and broadcasts_as_it_is(tensors, shapes, output):
            return (self.apply(xp, *operands),)
        spread = (
            apart(xp, x, shape, len(output)) for x, shape in zip(operands, shapes, strict=True)
        )
        return (joined(xp, self.apply(xp, *spread), output),)

    def operand_shapes(self, graph: Graph) -> list[Shape]:
        """The shapes that broadcast."""
        return [graph.tensor(name).shape for name in self.inputs]
