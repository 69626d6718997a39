"""MIRROR_PAD: borders filled with the image of what lies next to them."""

from __future__ import annotations

import enum
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
from tinyml.ops.pad import read_onnx_paddings, read_paddings


class MirrorMode(enum.Enum):
    """Where the mirror stands; the value is the schema's MirrorPadMode."""

    REFLECT = 0  # on the last element, which is not repeated
    SYMMETRIC = 1  # behind it


@dataclass(frozen=True, kw_only=True)
class MirrorPad(MovementOperator):
    """``paddings[d]`` mirrored elements before and after those of dimension d."""

    paddings: tuple[tuple[int, int], ...]
    mode: MirrorMode

    opcodes: ClassVar[tuple[str, ...]] = ("MIRROR_PAD",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Pad": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the paddings, which must be constant, and the mode."""
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            paddings=read_paddings(node),
            mode=MirrorMode(int(node.options.get("mode", 0))),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Pad that reflects; one that repeats the edge once is SYMMETRIC."""
        mode, paddings = node.attributes.get("mode", "constant"), read_onnx_paddings(node)
        modes = {"reflect": MirrorMode.REFLECT}
        if all(max(pair) <= 1 for pair in paddings):
            modes["edge"] = MirrorMode.SYMMETRIC
        if mode not in modes:
            return None
        return plain_lowering(cls, node, 1, paddings=paddings, mode=modes[mode])

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape, each dimension grown by its paddings."""
        dtype = require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        grown = []
        for size, pair in zip(shape, self.paddings, strict=True):
            if max(pair) > size - self._skipped:
                raise self.error(
                    f"paddings {self.paddings} are wider than the elements to mirror in an input "
                    f"of shape {shape}"
                )
            grown.append(size + sum(pair))
        return (TensorSpec(tuple(grown), dtype),)

    @property
    def _skipped(self) -> int:
        """Elements at the border that have no image."""
        return 1 if self.mode is MirrorMode.REFLECT else 0

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """The input to the middle, then the borders of one dimension after another."""
        (source,), (output,) = sources, outputs
        filled: list[Any] = [
            slice(before, before + size)
            for (before, _), size in zip(self.paddings, source.shape, strict=True)
        ]
        yield source, output[(*filled, ...)]
        for axis, (before, after) in enumerate(self.paddings):
            first, last = filled[axis].start, filled[axis].stop
            borders = (
                (slice(0, before), first + self._skipped),
                (slice(last, last + after), last - self._skipped - after),
            )
            for border, image in borders:
                count = border.stop - border.start
                filled[axis] = slice(image, image + count)
                mirrored = np.flip(output[tuple(filled)], axis)
                filled[axis] = border
                if count:
                    yield mirrored, output[tuple(filled)]
            filled[axis] = slice(None)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for int8, 3 for int16."""
        versions = {DType.INT8: 2, DType.INT16: 3}
        paddings = InlineConstant("paddings", np.array(self.paddings, np.int32))
        return TfliteOp(
            opcode="MIRROR_PAD",
            version=versions.get(graph.tensor(self.inputs[0]).dtype, 1),
            inputs=(*self.inputs, paddings),
            options_table="MirrorPadOptions",
            options={"mode": self.mode.value},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Gather along each padded dimension, for ONNX's Pad has no SYMMETRIC."""
        shape = graph.tensor(self.inputs[0]).shape
        padded = [axis for axis, pair in enumerate(self.paddings) if any(pair)]
        if not padded:
            return (OnnxNode(op_type="Identity", inputs=self.inputs, outputs=self.outputs),)
        names = [self.inputs[0], *(f"{self.name}/padded_{a}" for a in padded[:-1]), self.outputs[0]]
        return tuple(
            OnnxNode(
                op_type="Gather",
                inputs=(source, InlineConstant(f"indices_{axis}", self._indices(axis, shape))),
                outputs=(output,),
                attributes={"axis": axis},
            )
            for axis, source, output in zip(padded, names, names[1:], strict=False)
        )

    def _indices(self, axis: int, shape: tuple[int, ...]) -> Array:
        places = np.arange(shape[axis], dtype=np.int64)
        if self.mode is MirrorMode.REFLECT:
            return np.pad(places, self.paddings[axis], mode="reflect")
        return np.pad(places, self.paddings[axis], mode="symmetric")
