"""Windows, paddings and parameters as ONNX's convolutions and poolings state them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.ir.graph import DType, Tensor
from tinyml.ops.contract.onnx import OnnxNodeIn
from tinyml.ops.contract.window import Padding, Pair, Window, spatial

Pads = tuple[Pair, Pair]  # before (height, width), after (height, width)


@dataclass(frozen=True, slots=True)
class OnnxWindow:
    """Sizes over height and width, and how many pixels are put around the input."""

    size: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    after: Pair

    def padding(self, input_size: Pair) -> Padding | None:
        """TFLite's scheme with these very pads; None where they need an operator of their own."""
        if self.before == self.after == (0, 0):
            return Padding.VALID
        same = Window(self.size, self.stride, self.dilation, Padding.SAME)
        return Padding.SAME if same.pads(input_size) == (self.before, self.after) else None

    @property
    def paddings(self) -> tuple[Pair, Pair, Pair, Pair]:
        """The pads of an NHWC tensor, (before, after) per dimension."""
        height, width = zip(self.before, self.after, strict=True)
        return (0, 0), (height[0], height[1]), (width[0], width[1]), (0, 0)


def read_onnx_window(node: OnnxNodeIn, size: Pair, rank: int) -> OnnxWindow:
    """Read strides, dilations and pads of a node over ``rank`` dimensions, 1 or 2.

    ONNX states pads as numbers or by ``auto_pad``. A window over one dimension is one of height 1.
    """
    stride = read_onnx_pair(node, "strides", 1, rank)
    dilation = read_onnx_pair(node, "dilations", 1, rank)
    if min(*size, *stride, *dilation) < 1:
        raise node.error(
            f"kernel {size}, strides {stride} and dilations {dilation} must be at least 1"
        )
    before, after = _pads(node, Window(size, stride, dilation, Padding.SAME), rank)
    window = OnnxWindow(size, stride, dilation, before, after)
    return _rounded_up(node, window) if node.attributes.get("ceil_mode", 0) else window


def read_kernel_shape(node: OnnxNodeIn, rank: int) -> Pair:
    """Read a pool's window, which ONNX requires."""
    if "kernel_shape" not in node.attributes:
        raise node.error("has no attribute 'kernel_shape'")
    return read_onnx_pair(node, "kernel_shape", 1, rank)


def spatial_rank(node: OnnxNodeIn) -> int:
    """Dimensions after batch and channels; only images and rows of samples are supported."""
    rank = len(node.order) - 2
    if rank not in {1, 2}:
        raise node.error(
            f"input '{node.inputs[0]}' has {rank + 2} dimensions, expected 3 (N, C, L) or "
            "4 (N, C, H, W)"
        )
    return rank


def image_constant(node: OnnxNodeIn, index: int) -> Tensor:
    """Constant weights (O, I, H, W); those of one dimension get height 1."""
    weights = node.operand(index)
    if weights.data is None:
        raise node.error(
            f"weights '{weights.name}' are computed at run time, expected a constant; export the "
            "model with its parameters as initializers"
        )
    if len(weights.shape) != spatial_rank(node) + 2:
        raise node.error(f"weights '{weights.name}' of shape {weights.shape} do not fit the input")
    if len(weights.shape) == 4:
        return weights
    first, second, length = weights.shape
    shape = (first, second, 1, length)
    return Tensor(
        weights.name, shape, weights.dtype, weights.quant, weights.constant.reshape(shape)
    )


def bias_or_zeros(node: OnnxNodeIn, index: int, channels: int) -> Tensor:
    """The bias; zeros where there is none, for runtimes refuse int8 convolutions without."""
    if not node.has_input(index):
        zeros = np.zeros(channels, np.float32)
        return Tensor(node.inner("zero_bias"), zeros.shape, DType.FLOAT32, data=zeros)
    bias = node.operand(index)
    if bias.data is None or bias.size != channels:
        raise node.error(f"bias '{bias.name}' must be a constant of {channels} elements")
    return bias


def read_onnx_pair(node: OnnxNodeIn, attribute: str, default: int, rank: int) -> Pair:
    """Read one number per dimension as (height, width); a height left out is ``default``."""
    values = node.integers(attribute)
    if values is None:
        return default, default
    if len(values) != rank:
        raise node.error(f"{attribute} {values} do not fit an input of {rank + 2} dimensions")
    return (values[0], values[1]) if rank == 2 else (default, values[0])


def _pads(node: OnnxNodeIn, same: Window, rank: int) -> Pads:
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode == "VALID":
        return (0, 0), (0, 0)
    if mode in {"SAME_UPPER", "SAME_LOWER"}:
        smaller, larger = same.pads(spatial(node.operand(0).shape))
        return (smaller, larger) if mode == "SAME_UPPER" else (larger, smaller)
    if mode != "NOTSET":
        raise node.error(f"auto_pad '{mode}' is unknown, expected NOTSET, VALID or SAME_*")
    return read_onnx_pads(node, rank)


def read_onnx_pads(node: OnnxNodeIn, rank: int) -> Pads:
    """Read the attribute 'pads'."""
    pads = node.integers("pads") or [0] * 2 * rank
    if len(pads) != 2 * rank or min(pads) < 0:
        raise node.error(f"pads {pads} do not fit an input of {rank + 2} dimensions")
    return _with_height(pads[:rank]), _with_height(pads[rank:])


def _with_height(values: Sequence[int]) -> Pair:
    return (values[0], values[1]) if len(values) == 2 else (0, values[0])


def _rounded_up(node: OnnxNodeIn, window: OnnxWindow) -> OnnxWindow:
    """Add the pads at the end that make the last, partial window a whole one.

    ONNX leaves out a window that would begin in the padding after the input.
    """
    size = spatial(node.operand(0).shape)
    extent = Window(window.size, window.stride, window.dilation).extent
    after = []
    for axis in (0, 1):
        stride, before = window.stride[axis], window.before[axis]
        padded = before + size[axis] + window.after[axis]
        count = -(-(padded - extent[axis]) // stride) + 1
        if (count - 1) * stride >= before + size[axis]:
            count -= 1
        needed = (count - 1) * stride + extent[axis] - before - size[axis]
        after.append(max(window.after[axis], needed))
    return OnnxWindow(
        window.size, window.stride, window.dilation, window.before, (after[0], after[1])
    )
