"""SPACE_TO_BATCH_ND: the phases of an image's grid, as batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Array, Graph, Shape
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.tflite import TfliteOp
from tinyml.ops.families.movement import Move, moved_by
from tinyml.ops.families.space_batches import SpaceBatchOperator, integers, onnx_reordered


@dataclass(frozen=True, kw_only=True)
class SpaceToBatchND(SpaceBatchOperator):
    """Every ``block``-th element of an image with ``borders`` of zeros, one batch per phase."""

    opcodes: ClassVar[tuple[str, ...]] = ("SPACE_TO_BATCH_ND",)
    kernels: ClassVar[Kernels] = moved_by("tinyml_copy", "tinyml_fill")

    def output_shape(self, shape: Shape) -> Shape:
        """More batches of smaller images."""
        padded = self.padded_shape(shape)
        if any(size % step for size, step in zip(padded[1:-1], self.block, strict=True)):
            raise self.unfit(shape)
        cells = (size // step for size, step in zip(padded[1:-1], self.block, strict=True))
        return (shape[0] * math.prod(self.block), *cells, shape[-1])

    def padded_shape(self, shape: Shape) -> Shape:
        """Shape of the input with its borders."""
        spatial = zip(shape[1:-1], self.borders, strict=True)
        return (shape[0], *(size + sum(pair) for size, pair in spatial), shape[-1])

    def background(self, graph: Graph) -> int | None:
        """Real zeros, where there are borders."""
        source = graph.tensor(self.inputs[0])
        if not self.has_borders:
            return None
        return 0 if source.quant is None else source.zero_point

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """Every phase to its batch."""
        for cells, pixels in self.phases(outputs[0], sources[0]):
            yield pixels, cells

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the paddings after the block."""
        return self.write_tflite(graph, "paddings", "SpaceToBatchNDOptions")

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Pad, then Reshape, Transpose, Reshape."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        before, after = zip((0, 0), *self.borders, (0, 0), strict=True)
        padded = f"{self.name}/padded"
        pad = OnnxNode(
            op_type="Pad",
            inputs=(source.name, integers("pads", [*before, *after])),
            outputs=(padded,),
        )
        split = self.split_shape(self.padded_shape(source.shape))
        order = self.grid_order
        return pad, *onnx_reordered(padded, output.name, split, order, output.shape, self.name)
