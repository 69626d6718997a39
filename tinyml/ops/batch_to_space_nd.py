"""BATCH_TO_SPACE_ND: an image from batches that are the phases of its grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Array, Graph, Shape
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.tflite import TfliteOp
from tinyml.ops.families.movement import Move
from tinyml.ops.families.space_batches import SpaceBatchOperator, integers, onnx_reordered


@dataclass(frozen=True, kw_only=True)
class BatchToSpaceND(SpaceBatchOperator):
    """Batches dealt out to every ``block``-th place, less ``borders``."""

    opcodes: ClassVar[tuple[str, ...]] = ("BATCH_TO_SPACE_ND",)

    def output_shape(self, shape: Shape) -> Shape:
        """Fewer batches of larger images."""
        whole = self.whole_shape(shape)
        spatial = zip(whole[1:-1], self.borders, strict=True)
        cropped = [size - sum(pair) for size, pair in spatial]
        if shape[0] % math.prod(self.block) or min(cropped) < 1:
            raise self.unfit(shape)
        return (whole[0], *cropped, shape[-1])

    def whole_shape(self, shape: Shape) -> Shape:
        """Shape of the output before its borders are cut off."""
        spatial = zip(shape[1:-1], self.block, strict=True)
        batches = shape[0] // math.prod(self.block)
        return (batches, *(size * step for size, step in spatial), shape[-1])

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """Every batch to its phase."""
        return self.phases(sources[0], outputs[0])

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the crops after the block."""
        return self.write_tflite(graph, "crops", "BatchToSpaceNDOptions")

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Reshape, Transpose, Reshape, then Slice."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        whole, count = f"{self.name}/whole", len(self.block)
        shape = (*self.block, output.shape[0], *source.shape[1:])
        pairs = [axis for d in range(count) for axis in (count + 1 + d, d)]
        order = (count, *pairs, 2 * count + 1)
        result = self.whole_shape(source.shape)
        joined = onnx_reordered(source.name, whole, shape, order, result, self.name)
        starts = [before for before, _ in self.borders]
        ends = [start + size for start, size in zip(starts, output.shape[1:-1], strict=True)]
        cut = OnnxNode(
            op_type="Slice",
            inputs=(
                whole,
                integers("starts", starts),
                integers("ends", ends),
                integers("axes", list(range(1, count + 1))),
            ),
            outputs=self.outputs,
        )
        return *joined, cut
