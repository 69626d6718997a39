"""The window of ONNX's ConvTranspose, which states the output's size in three ways."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.ops.contract.onnx import OnnxNodeIn
from tinyml.ops.contract.window import Padding, Pair, Window
from tinyml.ops.onnx.window import read_onnx_pads, read_onnx_pair


@dataclass(frozen=True, slots=True)
class OnnxTransposedWindow:
    """``before`` pixels are cut off above and to the left, what is beyond ``output_size`` too."""

    size: Pair
    stride: Pair
    before: Pair
    output_size: Pair

    def padding(self, input_size: Pair) -> Padding | None:
        """TFLite's scheme that cuts off the same; None where there is none."""
        for padding in (Padding.VALID, Padding.SAME):
            window = Window(self.size, self.stride, padding=padding)
            is_inverse = window.output_size(self.output_size) == input_size
            if is_inverse and window.pads(self.output_size)[0] == self.before:
                return padding
        return None

    def whole_size(self, input_size: Pair) -> Pair:
        """Output with nothing cut off: all that the filters reach, and all that is asked for."""
        height, width = (
            max((count - 1) * stride + size, before + wanted)
            for count, stride, size, before, wanted in zip(
                input_size, self.stride, self.size, self.before, self.output_size, strict=True
            )
        )
        return height, width


def read_onnx_transposed_window(node: OnnxNodeIn, size: Pair, rank: int) -> OnnxTransposedWindow:
    """Read strides, and the output's size from pads, from auto_pad or from output_shape.

    The formulas are those of ConvTranspose's specification (opset 11 to 22).
    """
    stride = read_onnx_pair(node, "strides", 1, rank)
    if read_onnx_pair(node, "dilations", 1, rank) != (1, 1) or min(*size, *stride) < 1:
        raise node.error("dilations are not supported, strides and kernel must be at least 1")
    _, height, width, _ = node.operand(0).shape
    added = read_onnx_pair(node, "output_padding", 0, rank)
    reach = [
        (count - 1) * step + taps + more
        for count, step, taps, more in zip((height, width), stride, size, added, strict=True)
    ]
    mode = node.attributes.get("auto_pad", "NOTSET")
    if "output_shape" in node.attributes:
        wanted = read_onnx_pair(node, "output_shape", 1, rank)
    elif mode.startswith("SAME"):
        wanted = height * stride[0], width * stride[1]
    else:
        before, after = ((0, 0), (0, 0)) if mode == "VALID" else read_onnx_pads(node, rank)
        total = [sum(pair) for pair in zip(before, after, strict=True)]
        return _checked(node, size, stride, before, (reach[0] - total[0], reach[1] - total[1]))
    cut = [have - want for have, want in zip(reach, wanted, strict=True)]
    half = [rest // 2 if mode == "SAME_UPPER" else rest - rest // 2 for rest in cut]
    return _checked(node, size, stride, (half[0], half[1]), wanted)


def _checked(
    node: OnnxNodeIn, size: Pair, stride: Pair, before: Pair, wanted: Pair
) -> OnnxTransposedWindow:
    if min(before) < 0 or min(wanted) < 1:
        raise node.error(f"cuts {before} off before an output of {wanted}, which is not supported")
    return OnnxTransposedWindow(size, stride, before, wanted)
