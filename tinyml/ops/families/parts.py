"""Operators that cut one tensor into several along a dimension."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, Graph, Shape, TensorSpec
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.ops.families.movement import Move, MovementOperator


@dataclass(frozen=True, kw_only=True)
class PartsOperator(MovementOperator):
    """One part along ``axis`` per output, one after another."""

    axis: int

    @abc.abstractmethod
    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """Size of each part along the axis; ModelError where they do not fit the input."""

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape with the part's size in place of its own."""
        dtype = require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        before, after = shape[: self.axis], shape[self.axis + 1 :]
        return tuple(TensorSpec((*before, size, *after), dtype) for size in self.sizes(shape))

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """Every part to its output."""
        ends = np.cumsum([output.shape[self.axis] for output in outputs])
        yield from zip(np.split(sources[0], ends[:-1], self.axis), outputs, strict=True)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Split."""
        sizes = np.array(self.sizes(graph.tensor(self.inputs[0]).shape), np.int64)
        return (
            OnnxNode(
                op_type="Split",
                inputs=(*self.inputs, InlineConstant("split", sizes)),
                outputs=self.outputs,
                attributes={"axis": self.axis},
            ),
        )


def axis_from_front(node: TfliteNode, axis: Array | int, tensor: str) -> int:
    """Give a dimension of ``tensor`` that may be counted from the back."""
    rank = len(node.tensors[tensor].shape)
    given = int(np.asarray(axis).reshape(-1)[0])
    if not -rank <= given < rank:
        raise ModelError(
            f"{node.opcode} '{node.name}': axis {given} is outside tensor '{tensor}' of {rank} "
            "dimensions"
        )
    return given % rank
