"""TILE: the input again and again along each dimension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import Move, MovementOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class Tile(MovementOperator):
    """The input ``multiples[d]`` times along each dimension d."""

    multiples: tuple[int, ...]

    opcodes: ClassVar[tuple[str, ...]] = ("TILE",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Tile": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the multiples, which must be constant."""
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            multiples=tuple(int(count) for count in node.constant_input(1).reshape(-1)),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read the multiples."""
        multiples = node.per_dimension(node.integers("repeats", 1) or [], 1)
        return plain_lowering(cls, node, 1, multiples=multiples)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape times the multiples."""
        dtype = require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        if len(self.multiples) != len(shape) or min(self.multiples, default=1) < 1:
            raise self.error(f"multiples {self.multiples} do not fit an input of shape {shape}")
        pairs = zip(shape, self.multiples, strict=True)
        return (TensorSpec(tuple(size * count for size, count in pairs), dtype),)

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not tflite-runtime 2.14 in int16, which it refuses."""
        is_int16 = graph.tensor(self.inputs[0]).dtype is DType.INT16
        return (Oracle.LITERT,) if is_int16 else self.oracles

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """The input to the first corner, then what is there along one dimension after another.

        The innermost dimension comes first, so that the later copies are of long runs.
        """
        (source,), (output,) = sources, outputs
        filled: list[Any] = [slice(size) for size in source.shape]
        yield source, output[(*filled, ...)]
        for axis in reversed(range(source.ndim)):
            size, count = source.shape[axis], self.multiples[axis]
            if count == 1:
                continue
            done = output[tuple(filled)]
            filled[axis] = slice(size, None)
            rest = output[tuple(filled)]
            filled[axis] = slice(None)
            shape = (*done.shape[:axis], count - 1, *done.shape[axis:])
            yield np.broadcast_to(np.expand_dims(done, axis), shape), _folded(rest, axis, size)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1: int8 came with 3, which reference resolvers lack, their kernels not."""
        del graph
        multiples = InlineConstant("multiples", np.array(self.multiples, np.int32))
        return TfliteOp(
            opcode="TILE",
            version=1,
            inputs=(*self.inputs, multiples),
            options_table="TileOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Tile."""
        del graph
        multiples = InlineConstant("multiples", np.array(self.multiples, np.int64))
        return (OnnxNode(op_type="Tile", inputs=(*self.inputs, multiples), outputs=self.outputs),)


def _folded(array: Array, axis: int, size: int) -> Array:
    """View of ``array`` whose dimension ``axis`` is two: blocks, and ``size`` within each."""
    count = array.shape[axis] // size
    return np.lib.stride_tricks.as_strided(
        array,
        (*array.shape[:axis], count, size, *array.shape[axis + 1 :]),
        (*array.strides[:axis], size * array.strides[axis], *array.strides[axis:]),
    )
