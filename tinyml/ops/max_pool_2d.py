"""MAX_POOL_2D."""

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
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad


@dataclass(frozen=True, kw_only=True)
class MaxPool2D(Pool2D):
    """Maximum over a sliding window."""

    opcodes: ClassVar[tuple[str, ...]] = ("MAX_POOL_2D",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("arm_max_pool_s8"),
        DType.INT16: ("arm_max_pool_s16",),
    }
    onnx_type: ClassVar[str] = "MaxPool"
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "GlobalMaxPool": Operands.CHANNELS_LAST,
        "MaxPool": Operands.CHANNELS_LAST,
    }

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a MaxPool.

        Pads that are neither SAME nor VALID become the image mirrored at its borders: what a window
        then sees twice does not change its maximum, whatever the scales.
        """
        if len(node.outputs) > 1:
            raise node.error("gives the places of the maxima too, which is not supported")
        window, size = cls.read_onnx_window(node), spatial(node.operand(0).shape)
        padding = window.padding(size)
        if padding is not None:
            return OnnxLowering(ops=(cls.onnx_pool(node, window, node.inputs[0], padding),))
        smallest = [min(taps // 2, have) for taps, have in zip(window.size, size, strict=True)]
        if any(max(pair) > most for pair, most in zip(window.paddings[1:3], smallest, strict=True)):
            raise node.error(
                f"pads {window.before} and {window.after} are more than half of the window "
                f"{window.size}"
            )
        mirrored = node.inner("mirrored")
        pad = MirrorPad(
            name=mirrored,
            inputs=node.inputs,
            outputs=(mirrored,),
            paddings=window.paddings,
            mode=MirrorMode.SYMMETRIC,
        )
        return OnnxLowering(ops=(pad, cls.onnx_pool(node, window, mirrored, Padding.VALID)))

    def pooled(self, xp: ArrayLibrary, x: Any, **window: Any) -> Any:
        """Find the largest."""
        return xp.max_pool(x, **window)

    def to_c(self, graph: Graph) -> Kernel:
        """Call CMSIS-NN's kernel."""
        return Kernel(calls=(self.cmsis_nn_call(graph),))
