"""STRIDED_SLICE: Python's ``x[begin:end:stride, ..., None, index]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import ViewOperator
from tinyml.ops.onnx.elementwise import plain_lowering
from tinyml.ops.slice import read_onnx_ranges

Entry = slice | int | EllipsisType | None

MASKS = {
    "begin_mask": "beginMask",
    "end_mask": "endMask",
    "ellipsis_mask": "ellipsisMask",
    "new_axis_mask": "newAxisMask",
    "shrink_axis_mask": "shrinkAxisMask",
}


@dataclass(frozen=True, kw_only=True)
class StridedSlice(ViewOperator):
    """Entry i of the index is ``begin[i]:end[i]:strides[i]`` unless bit i of a mask says else."""

    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0

    opcodes: ClassVar[tuple[str, ...]] = ("STRIDED_SLICE",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Slice": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read begin, end and strides, which must be constant, and the masks."""
        begin, end, strides = (
            tuple(int(value) for value in node.constant_input(index).reshape(-1))
            for index in (1, 2, 3)
        )
        masks = {field: int(node.options.get(name, 0)) for field, name in MASKS.items()}
        operator = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            begin=begin,
            end=end,
            strides=strides,
            **masks,
        )
        if not len(begin) == len(end) == len(strides):
            raise operator.error(f"begin {begin}, end {end} and strides {strides} differ in length")
        if node.options.get("offset", False):
            raise operator.error("ends counted from the begin are not supported")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Slice with steps; an end before the first element is a masked one."""
        ranges = read_onnx_ranges(node)
        return plain_lowering(
            cls,
            node,
            1,
            begin=tuple(taken.start for taken in ranges),
            end=tuple(taken.stop for taken in ranges),
            strides=tuple(taken.step for taken in ranges),
            end_mask=sum(1 << place for place, taken in enumerate(ranges) if taken.stop < 0),
        )

    def output_shape(self, shape: Shape) -> Shape:
        """What numpy's slicing gives."""
        index = self._index()
        counted = sum(entry is not None and entry is not Ellipsis for entry in index)
        if index.count(Ellipsis) > 1 or counted > len(shape) or 0 in self.strides:
            raise self.error(
                f"begin {self.begin}, end {self.end} and strides {self.strides} do not fit an "
                f"input of shape {shape}"
            )
        for entry, size in zip(self._per_dimension(len(shape)), shape, strict=True):
            if isinstance(entry, int) and not -size <= entry < size:
                raise self.error(f"index {entry} is outside a dimension of {size} elements")
        return super().output_shape(shape)

    def view(self, source: Array) -> Array:
        """Index as numpy does; a stand-in without dimensions stays an array."""
        return np.asarray(
            source[(*self._index(), ...)]
            if Ellipsis not in self._index()
            else source[self._index()]
        )

    def _index(self) -> tuple[Entry, ...]:
        return tuple(self._entry(i) for i in range(len(self.begin)))

    def _entry(self, i: int) -> Entry:
        bit = 1 << i
        if self.ellipsis_mask & bit:
            return Ellipsis
        if self.new_axis_mask & bit:
            return None
        begin = None if self.begin_mask & bit else self.begin[i]
        if self.shrink_axis_mask & bit:
            return begin or 0
        return slice(begin, None if self.end_mask & bit else self.end[i], self.strides[i])

    def _per_dimension(self, rank: int) -> list[slice | int]:
        """Entry of each dimension of the input: no new axes, the ellipsis drawn out."""
        index = self._index()
        where = index.index(Ellipsis) if Ellipsis in index else len(index)
        before = [e for e in index[:where] if isinstance(e, slice | int)]
        after = [e for e in index[where:] if isinstance(e, slice | int)]
        return [*before, *[slice(None)] * (rank - len(before) - len(after)), *after]

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that the dtype or the number of dimensions came with.

        New axes and the ellipsis came with version 6, which no reference resolver knows though its
        kernels do; kernels from before refuse the masks under any version.
        """
        source = graph.tensor(self.inputs[0])
        version = {DType.INT8: 2, DType.BOOL: 3, DType.INT16: 4}.get(source.dtype, 1)
        if len(source.shape) > 4:
            version = 4
        constants = {"begin": self.begin, "end": self.end, "strides": self.strides}
        return TfliteOp(
            opcode="STRIDED_SLICE",
            version=version,
            inputs=(
                *self.inputs,
                *(InlineConstant(n, np.array(v, np.int32)) for n, v in constants.items()),
            ),
            options_table="StridedSliceOptions",
            options={name: getattr(self, field) for field, name in MASKS.items()},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Slice, then Reshape, which drops and adds dimensions."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        sliced = f"{self.name}/sliced"
        ends = [
            _resolved(entry, size)
            for entry, size in zip(
                self._per_dimension(len(source.shape)), source.shape, strict=True
            )
        ]
        starts, stops, steps = (np.array(column, np.int64) for column in zip(*ends, strict=True))
        constants = {
            "starts": starts,
            "ends": stops,
            "axes": np.arange(len(source.shape), dtype=np.int64),
            "steps": steps,
        }
        shape = InlineConstant("shape", np.array(output.shape, np.int64))
        return (
            OnnxNode(
                op_type="Slice",
                inputs=(source.name, *(InlineConstant(n, v) for n, v in constants.items())),
                outputs=(sliced,),
                quantized_like=source.name,
            ),
            OnnxNode(op_type="Reshape", inputs=(sliced, shape), outputs=self.outputs),
        )


def _resolved(entry: slice | int, size: int) -> tuple[int, int, int]:
    """Start, end and step as ONNX counts them: an end before the first element is far below 0."""
    if isinstance(entry, int):
        return entry % size, entry % size + 1, 1
    start, stop, step = entry.indices(size)
    return start, (np.iinfo(np.int64).min if stop < 0 else stop), step
