"""DEPTH_TO_SPACE: channels to blocks of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Array, Shape
from tinyml.ops.blocks import BlockOperator


@dataclass(frozen=True, kw_only=True)
class DepthToSpace(BlockOperator):
    """Channel (y, x, c) of a pixel becomes channel c of pixel (y, x) of its block."""

    opcodes: ClassVar[tuple[str, ...]] = ("DEPTH_TO_SPACE",)
    options_table: ClassVar[str] = "DepthToSpaceOptions"
    onnx_type: ClassVar[str] = "DepthToSpace"

    def block_shape(self, shape: Shape) -> Shape:
        """More pixels of fewer channels."""
        batches, height, width, channels = shape
        block = self.block_size
        if channels % block**2:
            raise self.unfit(shape)
        return batches, height * block, width * block, channels // block**2

    def view(self, source: Array) -> Array:
        """Rows of a block come between its pixels' rows."""
        batches, height, width, channels = source.shape
        block = self.block_size
        split = source.reshape(batches, height, width, block, block, channels // block**2)
        return split.transpose(0, 1, 3, 2, 4, 5)
