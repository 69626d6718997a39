"""Square blocks of pixels to channels, and channels to blocks."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar, Self

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.contract.onnx import Layout, OnnxNode
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import ViewOperator


@dataclass(frozen=True, kw_only=True)
class BlockOperator(ViewOperator):
    """Images (N, H, W, C) and blocks of ``block_size`` x ``block_size`` pixels."""

    block_size: int

    options_table: ClassVar[str]
    onnx_type: ClassVar[str]

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the block size."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            block_size=int(node.options["blockSize"]),
        )

    def output_shape(self, shape: Shape) -> Shape:
        """Check what both directions need."""
        if len(shape) != 4 or self.block_size < 1:
            raise self.unfit(shape)
        return self.block_shape(shape)

    @abc.abstractmethod
    def block_shape(self, shape: Shape) -> Shape:
        """Shape of the output for an input of four dimensions; ModelError where it does not fit."""

    def unfit(self, shape: Shape) -> Exception:
        """Make the error for an input that does not divide."""
        return self.error(f"an input of shape {shape} has no blocks of size {self.block_size}")

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1: int8 came with 2, which reference resolvers lack for DEPTH_TO_SPACE."""
        del graph
        return TfliteOp(
            opcode=self.opcodes[0],
            version=1,
            inputs=self.inputs,
            options_table=self.options_table,
            options={"blockSize": self.block_size},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """The operator of the same name, whose order of channels is the same."""
        del graph
        node = OnnxNode(
            op_type=self.onnx_type,
            inputs=self.inputs,
            outputs=self.outputs,
            attributes={"blocksize": self.block_size},
            layout=Layout.CHANNELS_FIRST,
        )
        return (node,)
