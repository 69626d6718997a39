"""SPACE_TO_DEPTH: blocks of pixels to channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Array, Shape
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.families.blocks import BlockOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class SpaceToDepth(BlockOperator):
    """Channel c of pixel (y, x) of a block becomes channel (y, x, c) of one pixel."""

    opcodes: ClassVar[tuple[str, ...]] = ("SPACE_TO_DEPTH",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"SpaceToDepth": Operands.CHANNELS_LAST}
    options_table: ClassVar[str] = "SpaceToDepthOptions"
    onnx_type: ClassVar[str] = "SpaceToDepth"

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read the block size."""
        return plain_lowering(cls, node, block_size=int(node.attributes.get("blocksize", 0)))

    def block_shape(self, shape: Shape) -> Shape:
        """Fewer pixels of more channels."""
        batches, height, width, channels = shape
        block = self.block_size
        if height % block or width % block:
            raise self.unfit(shape)
        return batches, height // block, width // block, channels * block**2

    def view(self, source: Array) -> Array:
        """Pixels of a block come together."""
        batches, height, width, channels = source.shape
        block = self.block_size
        split = source.reshape(batches, height // block, block, width // block, block, channels)
        return split.transpose(0, 1, 3, 2, 4, 5)
