"""What the layers of a float graph read: second moments of their inputs, window by window.

With H = E[x x^T] over all windows x of the calibration data, a change d of a layer's weights moves
its sums by d^T H d on average, squared: no sample is needed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tinyml.ir.graph import Array, Graph
from tinyml.numerics.windows import windows_of
from tinyml.ops.contract.window import spatial
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.quantize.calibrate import iterate_activations
from tinyml.quantize.linear import linear_layers
from tinyml.quantize.method import Task

Columned = Conv2D | DepthwiseConv2D | FullyConnected


def columned_layers(graph: Graph) -> Iterator[Columned]:
    """Linear layers each of whose sums is one row of weights times one window of the input."""
    for op in linear_layers(graph):
        if isinstance(op, Columned):
            yield op


def rows_of(op: Columned, weights: Array) -> Array:
    """Weights as (groups, rows, taps): a depthwise filter has a group for each input channel."""
    if not isinstance(op, DepthwiseConv2D):
        return weights.reshape(1, len(weights), -1)
    taps = weights.reshape(-1, weights.shape[-1])
    return np.moveaxis(taps.reshape(len(taps), -1, op.multiplier), 0, 2)


def weights_of(op: Columned, rows: Array, shape: tuple[int, ...]) -> Array:
    """Undo ``rows_of``."""
    if not isinstance(op, DepthwiseConv2D):
        return rows.reshape(shape)
    return np.moveaxis(rows, 2, 0).reshape(shape)


def second_moments(graph: Graph, layers: Sequence[Columned], task: Task) -> list[Array]:
    """H of each layer, (groups, taps, taps), float64, from one run over the samples."""
    names = tuple(dict.fromkeys(op.inputs[0] for op in layers))
    totals: list[Array] = [np.zeros(1) for _ in layers]
    counts = [0] * len(layers)
    with task.progress("observing what layers read", len(task.samples[0])) as update:
        for done, row in enumerate(iterate_activations(graph, task.samples, names), start=1):
            values = dict(zip(names, row, strict=True))
            for place, op in enumerate(layers):
                columns = _columns(graph, op, values[op.inputs[0]])
                totals[place] = totals[place] + np.swapaxes(columns, 1, 2) @ columns
                counts[place] += columns.shape[1]
            update(done)
    return [total / max(1, count) for total, count in zip(totals, counts, strict=True)]


def _columns(graph: Graph, op: Columned, source: Array) -> Array:
    """Windows of one sample, (groups, windows, taps), float32."""
    shape = graph.tensor(op.inputs[1]).shape
    if isinstance(op, FullyConnected):
        return source.reshape(1, -1, shape[1])
    windows = _windows(graph, op, source)
    if isinstance(op, DepthwiseConv2D):
        return np.moveaxis(windows.reshape(len(windows), -1, source.shape[3]), 2, 0)
    return windows.reshape(1, len(windows), -1)


def _windows(graph: Graph, op: Conv2D | DepthwiseConv2D, source: Array) -> Array:
    """(windows, height, width, channels) of the filter, of an NHWC input."""
    window = op.window(graph)
    before, after = window.pads(spatial(source.shape))
    pads = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    views = windows_of(np.pad(source, pads), window.size, window.stride, window.dilation)
    return views.reshape(-1, *views.shape[3:])
