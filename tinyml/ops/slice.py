"""SLICE: a block of neighbouring elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import ViewOperator
from tinyml.ops.onnx.elementwise import plain_lowering

# SLICE's size for all that is left.
TO_THE_END = -1


@dataclass(frozen=True, kw_only=True)
class Slice(ViewOperator):
    """``size[d]`` elements from ``begin[d]`` on along each dimension d."""

    begin: tuple[int, ...]
    size: tuple[int, ...]

    opcodes: ClassVar[tuple[str, ...]] = ("SLICE",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Slice": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the constant begin and size; -1 is all that is left."""
        shape = node.tensors[node.inputs[0]].shape
        begin = [int(value) for value in node.constant_input(1).reshape(-1)]
        size = [int(value) for value in node.constant_input(2).reshape(-1)]
        ends = zip(shape, begin, size, strict=False)  # of different lengths they are refused later
        resolved = (have - first if count == TO_THE_END else count for have, first, count in ends)
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            begin=tuple(begin),
            size=tuple(resolved),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Slice of neighbours."""
        ranges = read_onnx_ranges(node)
        if any(taken.step != 1 for taken in ranges):
            return None
        return plain_lowering(
            cls,
            node,
            1,
            begin=tuple(taken.start for taken in ranges),
            size=tuple(map(len, ranges)),
        )

    def output_shape(self, shape: Shape) -> Shape:
        """Give the size."""
        if not len(self.begin) == len(self.size) == len(shape):
            raise self.error(
                f"begin {self.begin} and size {self.size} do not fit an input of shape {shape}"
            )
        for have, first, count in zip(shape, self.begin, self.size, strict=True):
            if first < 0 or count < 0 or first + count > have:
                raise self.error(
                    f"begin {self.begin} and size {self.size} reach outside the input's {shape}"
                )
        return self.size

    def view(self, source: Array) -> Array:
        """Cut the block out."""
        ends = zip(self.begin, self.size, strict=True)
        return source[tuple(slice(first, first + count) for first, count in ends)]

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for int8, 4 for int16, 5 for more than four dimensions."""
        source = graph.tensor(self.inputs[0])
        version = {DType.INT8: 2, DType.INT16: 4}.get(source.dtype, 1)
        return TfliteOp(
            opcode="SLICE",
            version=5 if len(source.shape) > 4 else version,
            inputs=(
                *self.inputs,
                InlineConstant("begin", np.array(self.begin, np.int32)),
                InlineConstant("size", np.array(self.size, np.int32)),
            ),
            options_table="SliceOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Slice."""
        del graph
        begin = np.array(self.begin, np.int64)
        return (
            OnnxNode(
                op_type="Slice",
                inputs=(
                    *self.inputs,
                    InlineConstant("starts", begin),
                    InlineConstant("ends", begin + np.array(self.size, np.int64)),
                ),
                outputs=self.outputs,
            ),
        )


def read_onnx_ranges(node: OnnxNodeIn) -> list[range]:
    """Indices that an ONNX Slice takes of each dimension of its first operand."""
    shape = node.operand(0).shape
    starts, ends = node.integers("starts", 1) or [], node.integers("ends", 2) or []
    axes = node.integers("axes", 3) or list(range(len(starts)))
    steps = node.integers("steps", 4) or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise node.error(f"starts {starts}, ends {ends}, axes {axes} and steps {steps} do not fit")
    ranges = [range(size) for size in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = node.axis(axis)
        ranges[place] = range(shape[place])[start:end:step]
    if not all(ranges):
        raise node.error(f"takes nothing of its input of shape {shape}")
    return ranges
