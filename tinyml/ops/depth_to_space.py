"""DEPTH_TO_SPACE: channels to blocks of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array, Shape
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands, int32_constant
from tinyml.ops.families.blocks import BlockOperator
from tinyml.ops.gather import Gather
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class DepthToSpace(BlockOperator):
    """Channel (y, x, c) of a pixel becomes channel c of pixel (y, x) of its block."""

    opcodes: ClassVar[tuple[str, ...]] = ("DEPTH_TO_SPACE",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"DepthToSpace": Operands.CHANNELS_LAST}
    options_table: ClassVar[str] = "DepthToSpaceOptions"
    onnx_type: ClassVar[str] = "DepthToSpace"

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read the block size; channels in the order (c, y, x) are gathered into (y, x, c)."""
        block = int(node.attributes.get("blocksize", 0))
        if node.attributes.get("mode", "DCR") == "DCR":
            return plain_lowering(cls, node, block_size=block)
        channels = node.operand(0).shape[-1]
        if block < 1 or channels % block**2:
            raise node.error(f"{channels} channels are no blocks of size {block}")
        order = np.arange(channels).reshape(-1, block * block).T.reshape(-1)
        indices, gathered = int32_constant(node.inner("order"), order), node.inner("gathered")
        gather = Gather(
            name=gathered,
            inputs=(node.inputs[0], indices.name),
            outputs=(gathered,),
            axis=3,
            batch_dims=0,
        )
        op = cls(name=node.name, inputs=(gathered,), outputs=node.outputs, block_size=block)
        return OnnxLowering(ops=(gather, op), constants=(indices,))

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
