"""AVERAGE_POOL_2D: mean over a window, padding left out of the count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.contract.window import Padding, spatial
from tinyml.ops.families.pool import Pool2D
from tinyml.ops.pad import padded_for_onnx


@dataclass(frozen=True, kw_only=True)
class AveragePool2D(Pool2D):
    """Average over a sliding window, rounded halves away from zero."""

    opcodes: ClassVar[tuple[str, ...]] = ("AVERAGE_POOL_2D",)
    rounds_integers: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = {
        **int8_kernels("arm_avgpool_s8"),
        DType.INT16: ("arm_avgpool_s16",),
    }
    onnx_type: ClassVar[str] = "AveragePool"
    onnx_types: ClassVar[Mapping[str, Operands]] = {"AveragePool": Operands.CHANNELS_LAST}

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read an AveragePool; pads that count become a PAD before it."""
        window = cls.read_onnx_window(node)
        padding = window.padding(spatial(node.operand(0).shape))
        counted = node.attributes.get("count_include_pad", 0) and padding is not Padding.VALID
        if counted and node.attributes.get("ceil_mode", 0):
            raise node.error("counts some of its pads (ceil_mode with count_include_pad)")
        if counted:
            source, padding, pads = padded_for_onnx(node, window, always=True)
            return OnnxLowering(ops=(*pads, cls.onnx_pool(node, window, source, padding)))
        if padding is None:
            raise node.error(
                f"pads {window.before} and {window.after} without counting them are neither SAME "
                "nor VALID; export the model with count_include_pad"
            )
        return OnnxLowering(ops=(cls.onnx_pool(node, window, node.inputs[0], padding),))

    def pooled(self, xp: ArrayLibrary, x: Any, **window: Any) -> Any:
        """Average; padding does not count."""
        return xp.average_pool(x, **window)

    def to_c(self, graph: Graph) -> Kernel:
        """Call CMSIS-NN's kernel with the scratch that DSP cores take: an int32 a channel."""
        channels = graph.tensor(self.inputs[0]).shape[3]
        return Kernel(calls=(self.cmsis_nn_call(graph),), scratch_bytes=4 * channels)
