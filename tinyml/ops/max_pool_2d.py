"""MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.ops.base import Isa, Kernel
from tinyml.ops.onnx_node import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.pool import Pool2D
from tinyml.ops.window import spatial


@dataclass(frozen=True, kw_only=True)
class MaxPool2D(Pool2D):
    """Maximum over a sliding window."""

    opcodes: ClassVar[tuple[str, ...]] = ("MAX_POOL_2D",)
    onnx_type: ClassVar[str] = "MaxPool"
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "GlobalMaxPool": Operands.CHANNELS_LAST,
        "MaxPool": Operands.CHANNELS_LAST,
    }

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a MaxPool."""
        if len(node.outputs) > 1:
            raise node.error("gives the places of the maxima too, which is not supported")
        window = cls.read_onnx_window(node)
        padding = window.padding(spatial(node.operand(0).shape))
        if padding is None:
            raise node.error(f"pads {window.before} and {window.after} are neither SAME nor VALID")
        return OnnxLowering(ops=(cls.onnx_pool(node, window, node.inputs[0], padding),))

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Call CMSIS-NN's kernel."""
        del isas
        is_wide = graph.tensor(self.inputs[0]).dtype is DType.INT16
        function = "arm_max_pool_s16" if is_wide else "arm_max_pool_s8"
        return Kernel(calls=(self.cmsis_nn_call(graph, function),))
