"""Sliding windows: what convolutions and poolings share about padding and output size."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyml.errors import ModelError
from tinyml.ir.graph import Shape

Pair = tuple[int, int]  # height, width


def spatial(shape: Shape) -> Pair:
    """Height and width of an NHWC shape."""
    return shape[1], shape[2]


class Padding(enum.Enum):
    """TFLite's padding schemes; the value is the schema's Padding code."""

    SAME = 0
    VALID = 1


@dataclass(frozen=True, slots=True)
class Window:
    """A window of ``size`` moved by ``stride``, its taps ``dilation`` apart."""

    size: Pair
    stride: Pair
    dilation: Pair = (1, 1)
    padding: Padding = Padding.VALID

    @property
    def extent(self) -> Pair:
        """Height and width from the first tap to the last, both included."""
        return (
            (self.size[0] - 1) * self.dilation[0] + 1,
            (self.size[1] - 1) * self.dilation[1] + 1,
        )

    def output_size(self, input_size: Pair) -> Pair:
        """Number of window positions (TFLite's ComputeOutSize)."""
        return self._output_size(input_size, 0), self._output_size(input_size, 1)

    def _output_size(self, input_size: Pair, axis: int) -> int:
        stride = self.stride[axis]
        if self.padding is Padding.SAME:
            return -(-input_size[axis] // stride)
        return max(0, (input_size[axis] - self.extent[axis]) // stride + 1)

    def pads(self, input_size: Pair) -> tuple[Pair, Pair]:
        """Padding before and after, each (height, width); the odd pixel goes after."""
        before, after = zip(*(self._pads(input_size, axis) for axis in (0, 1)), strict=True)
        return (before[0], before[1]), (after[0], after[1])

    def _pads(self, input_size: Pair, axis: int) -> Pair:
        if self.padding is Padding.VALID:
            return 0, 0
        covered = (self._output_size(input_size, axis) - 1) * self.stride[axis] + self.extent[axis]
        total = max(0, covered - input_size[axis])
        return total // 2, total - total // 2

    def onnx_attributes(self, input_size: Pair) -> Mapping[str, Any]:
        """Attributes shared by ONNX's Conv and pool operators."""
        before, after = self.pads(input_size)
        return {
            "kernel_shape": list(self.size),
            "strides": list(self.stride),
            "dilations": list(self.dilation),
            "pads": [*before, *after],
        }


def read_padding(options: Mapping[str, Any], where: str) -> Padding:
    """Read the schema's padding code."""
    try:
        return Padding(options["padding"])
    except ValueError:
        raise ModelError(
            f"{where}: padding code {options['padding']} is unknown, expected SAME or VALID"
        ) from None


def read_pair(options: Mapping[str, Any], height: str, width: str, where: str) -> Pair:
    """Read a stride, dilation or filter size; it must be positive."""
    pair = int(options[height]), int(options[width])
    if min(pair) < 1:
        raise ModelError(f"{where}: {height} and {width} are {pair}, expected at least 1")
    return pair
