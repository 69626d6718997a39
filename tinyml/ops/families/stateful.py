"""What operators that keep something between inferences have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.operator import Operator


@dataclass(frozen=True, kw_only=True)
class StatefulOperator(Operator):
    """An operator that reads or writes the graph's state."""

    without_compute: ClassVar[str] = (
        "it keeps state between inferences, which only one sample after another can do"
    )

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Refuse: what it gives depends on the samples before."""
        del xp, graph, operands
        raise self.error(self.without_compute)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Refuse: an ONNX graph keeps nothing."""
        del graph
        raise self.error("ONNX has no state; export the model as .tflite or C")

    def require_input(self, graph: Graph, place: int, dtype: DType, shape: Shape) -> None:
        """Refuse an input of another dtype or shape."""
        tensor = graph.tensor(self.inputs[place])
        if (tensor.dtype, tensor.shape) != (dtype, shape):
            raise self.error(
                f"input {place} ('{tensor.name}') is {tensor.dtype.value} {tensor.shape}, expected "
                f"{dtype.value} {shape}"
            )

    def require_variable(self, graph: Graph, place: int) -> None:
        """Refuse an input that is not part of the graph's state."""
        if self.inputs[place] not in graph.state_names:
            raise self.error(f"'{self.inputs[place]}' is no variable tensor")

    def require_one_scale(self, graph: Graph, names: Iterable[str]) -> None:
        """Refuse tensors without quantization, or with a scale per channel."""
        for name in names:
            quant = graph.tensor(name).quant
            if quant is None or len(quant.scale) != 1:
                raise self.error(f"'{name}' has no scale, or several; expected one")
