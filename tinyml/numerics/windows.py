"""Windows that slide over images, in numpy: convolutions and pools as ``keras.ops`` has them.

Images are (N, H, W, C). Samples are taken a few at a time, so that what is copied stays small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from tinyml.ir.graph import Array

Pair = tuple[int, int]
Padding = Literal["same", "valid"]
# The only order of dimensions there is here; keras.ops follows a setting where it is not told.
Format = Literal["channels_last"]

# Elements of windows that are copied at a time: some MB, which a cache nearly holds.
CHUNK = 1 << 19


def conv(
    inputs: Array,
    kernel: Array,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    data_format: Format = "channels_last",
    dilation_rate: Pair = (1, 1),
) -> Array:
    """``kernel`` is (height, width, C, output channels)."""
    del data_format
    height, width, _, channels = kernel.shape
    matrix = kernel.reshape(-1, channels)

    def products(windows: Array) -> Array:
        sums = np.matmul(windows.reshape(-1, matrix.shape[0]), matrix)
        return np.reshape(sums, (*windows.shape[:3], channels))

    padded = _padded(inputs, (height, width), strides, padding, dilation_rate, 0)
    return _in_chunks(products, padded, (height, width), strides, dilation_rate)


def depthwise_conv(
    inputs: Array,
    kernel: Array,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    data_format: Format = "channels_last",
    dilation_rate: Pair = (1, 1),
) -> Array:
    """``kernel`` is (height, width, C, multiplier); a channel's outputs stand together."""
    del data_format
    height, width, channels, multiplier = kernel.shape

    def sums(windows: Array) -> Array:
        shape = windows.shape[:3]
        total = np.zeros((multiplier, *shape, channels), windows.dtype)
        for tap in np.ndindex(height, width):
            # Repeated along the row: numpy runs over pixels and channels in one loop.
            rows = np.tile(kernel[tap].T[:, None], (shape[2], 1))
            for number, row in enumerate(rows):
                total[number] += windows[:, :, :, tap[0], tap[1]] * row
        return np.moveaxis(total, 0, -1).reshape(*shape, channels * multiplier)

    padded = _padded(inputs, (height, width), strides, padding, dilation_rate, 0)
    return _in_chunks(sums, padded, (height, width), strides, dilation_rate)


def conv_transpose(
    inputs: Array,
    kernel: Array,
    strides: Pair = (1, 1),
    padding: Literal["valid"] = "valid",
    output_padding: None = None,
    data_format: Format = "channels_last",
) -> Array:
    """``kernel`` is (height, width, output channels, C); each input adds a whole one of them."""
    del padding, output_padding, data_format
    count, *sizes, _ = inputs.shape
    height, width, channels, _ = kernel.shape
    reach = [
        (size - 1) * stride + max(taps, stride)
        for size, stride, taps in zip(sizes, strides, (height, width), strict=True)
    ]
    output = np.zeros((count, *reach, channels), np.result_type(inputs, kernel))
    for row, column in np.ndindex(height, width):
        rows = slice(row, row + (sizes[0] - 1) * strides[0] + 1, strides[0])
        columns = slice(column, column + (sizes[1] - 1) * strides[1] + 1, strides[1])
        output[:, rows, columns] += inputs @ kernel[row, column].T
    return output


def max_pool(
    inputs: Array,
    pool_size: Pair,
    strides: Pair,
    padding: Padding = "valid",
    data_format: Format = "channels_last",
) -> Array:
    """The largest element of each window; padding is none."""
    del data_format
    padded = _padded(inputs, pool_size, strides, padding, (1, 1), -np.inf)
    return _in_chunks(_over_taps(np.maximum), padded, pool_size, strides, (1, 1))


def average_pool(
    inputs: Array,
    pool_size: Pair,
    strides: Pair,
    padding: Padding = "valid",
    data_format: Format = "channels_last",
) -> Array:
    """The average of each window's elements; padding does not count."""
    del data_format

    def sums(images: Array) -> Array:
        padded = _padded(images, pool_size, strides, padding, (1, 1), 0)
        return _in_chunks(_over_taps(np.add), padded, pool_size, strides, (1, 1))

    return sums(inputs) / sums(np.ones((1, *inputs.shape[1:3], 1), inputs.dtype))


def _over_taps(combine: np.ufunc) -> Callable[[Array], Array]:
    """One element for each window: its taps, one after another."""

    def combined(windows: Array) -> Array:
        first, *others = np.ndindex(windows.shape[3:5])
        total = windows[:, :, :, first[0], first[1]].copy()
        for row, column in others:
            combine(total, windows[:, :, :, row, column], out=total)
        return total

    return combined


def _padded(
    inputs: Array, size: Pair, strides: Pair, padding: Padding, dilation: Pair, value: float
) -> Array:
    """With what "same" adds around the images, the odd element after them."""
    if padding == "valid":
        return inputs
    pads = [(0, 0), *map(_same_pads, inputs.shape[1:3], size, strides, dilation), (0, 0)]
    return np.pad(inputs, pads, constant_values=value)


def _same_pads(have: int, taps: int, stride: int, dilation: int) -> Pair:
    reach = (-(-have // stride) - 1) * stride + (taps - 1) * dilation + 1
    total = max(0, reach - have)
    return total // 2, total - total // 2


def windows_of(inputs: Array, size: Pair, strides: Pair, dilation: Pair) -> Array:
    """A view of every window without padding: (N, H', W', height, width, C)."""
    extent = [(taps - 1) * apart + 1 for taps, apart in zip(size, dilation, strict=True)]
    rows = np.lib.stride_tricks.sliding_window_view(inputs, extent[0], 1)
    view = np.lib.stride_tricks.sliding_window_view(rows, extent[1], 2)
    taken = view[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    return taken.transpose(0, 1, 2, 4, 5, 3)


def _in_chunks(
    function: Callable[[Array], Array], inputs: Array, size: Pair, strides: Pair, dilation: Pair
) -> Array:
    """Give ``function`` the windows (n, H', W', height, width, C) of a few samples at a time."""
    windows = windows_of(inputs, size, strides, dilation)
    step = max(1, CHUNK * len(windows) // max(1, windows.size))
    parts = [function(windows[start : start + step]) for start in range(0, len(windows), step)]
    return np.concatenate(parts)
