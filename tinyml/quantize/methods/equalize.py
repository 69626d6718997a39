"""Cross-layer equalization (Nagel et al., arXiv 1906.04721, section 4.1).

A channel scaled down by s in one layer and up by s in the next leaves what both compute, where the
function between them is positive-homogeneous: f(s x) = s f(x). With s = sqrt(r1 / r2) of the
channel's largest weights r1 and r2, both layers have the same range in every channel, and one scale
for a whole tensor fits all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml.data.metrics import signal_to_error
from tinyml.ir.graph import Array, Graph, Op
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.leaky_relu import LeakyRelu
from tinyml.ops.max_pool_2d import MaxPool2D
from tinyml.ops.mean import Mean
from tinyml.ops.pad import Pad
from tinyml.ops.relu import Relu
from tinyml.ops.reshape import Reshape
from tinyml.quantize.calibrate import iterate_activations
from tinyml.quantize.linear import bias_of, linear_layers
from tinyml.quantize.method import Improved, Method, Task
from tinyml.quantize.weights import rounded_weights

Scaled = Conv2D | DepthwiseConv2D | FullyConnected

HOMOGENEOUS = frozenset({Activation.NONE, Activation.RELU})
SIX = Activation.RELU6.bounds[1]
# Pairs are equalized in turn until no channel's scale changes by more than this part.
CONVERGED = 1e-3
LARGEST_SWEEPS = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers, and the operators between them, each of which reads only the one before."""

    first: Scaled
    between: tuple[Operator, ...]
    second: Scaled

    @property
    def bounded(self) -> tuple[Operator, ...]:
        """Those whose activation ends at 6."""
        ops = (self.first, *self.between)
        return tuple(op for op in ops if _activation(op) is Activation.RELU6)


def equalize(graph: Graph, task: Task) -> Improved:
    """Scale channels between all layers that follow each other, until nothing changes.

    A RELU6 between two layers becomes a RELU where no sample reaches 6; where one does, the pair
    stays as it is.
    """
    pairs = list(_pairs(graph, task))
    reached = _reached(graph, task, [op for pair in pairs for op in pair.bounded])
    kept = [pair for pair in pairs if not {op.name for op in pair.bounded} & reached]
    changes = {
        pair.first.name: f"left as it is, for its RELU6 reaches 6 before '{pair.second.name}'"
        for pair in pairs
        if pair not in kept
    }
    scales = _converged_scales(graph, kept)
    changed = _without_bounds(_rescaled(graph, kept, scales), kept)
    for op in dict.fromkeys(op for pair in kept for op in (pair.first, pair.second)):
        before, after = (_weakest_channel(g, op, task) for g in (graph, changed))
        changes[op.name] = f"weakest channel {before:.1f} dB before, {after:.1f} dB after"
    return Improved(changed, changes)


METHOD = Method(apply=equalize, rank=1, before=True)


def _weakest_channel(graph: Graph, op: Scaled, task: Task) -> float:
    """Least signal of one channel's weights, made or read, to the error of their integers, in dB.

    Channels without weights do not count.
    """
    weights = graph.tensor(op.inputs[1]).constant
    rounded = rounded_weights(graph, op, task.scheme).constant
    slices = [
        (np.take(weights, place, axis), np.take(rounded, place, axis))
        for axis in {_output_axis(op), weights.ndim - 1}
        for place in range(weights.shape[axis])
    ]
    return min((signal_to_error(*each) for each in slices if each[0].any()), default=np.inf)


def _pairs(graph: Graph, task: Task) -> Iterator[Pair]:
    layers = {
        op.name: op
        for op in linear_layers(graph)
        if isinstance(op, Scaled) and task.allows(op.name) and _owns_bias(graph, op)
    }
    for first in layers.values():
        between: list[Operator] = []
        channels = graph.tensor(first.outputs[0]).shape[-1]
        reader = graph.only_reader(first.outputs[0])
        while isinstance(reader, Operator) and _is_homogeneous(graph, reader, channels):
            between.append(reader)
            reader = graph.only_reader(reader.outputs[0])
        second = layers.get(reader.name) if reader else None
        if second is None or not _may_be_scaled(first) or not _reads(graph, second, channels):
            continue
        yield Pair(first, tuple(between), second)


def _owns_bias(graph: Graph, op: Scaled) -> bool:
    bias = bias_of(graph, op)
    return bias is None or len(graph.consumers[bias.name]) == 1


def _activation(op: Op) -> Activation:
    found = getattr(op, "activation", Activation.NONE)
    return found if isinstance(found, Activation) else Activation.NONE


def _may_be_scaled(op: Op) -> bool:
    return _activation(op) in HOMOGENEOUS | {Activation.RELU6}


def _reads(graph: Graph, second: Scaled, channels: int) -> bool:
    """Whether each of the channels has weights of its own in the second layer."""
    return _input_ranges(second, graph.tensor(second.inputs[1]).constant).size == channels


def _is_homogeneous(graph: Graph, op: Operator, channels: int) -> bool:
    """Whether it scales each channel, the last dimension, as its input is scaled."""
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    if source.shape[-1] != channels or output.shape[-1] != channels or not _may_be_scaled(op):
        return False
    last = len(source.shape) - 1
    if isinstance(op, Mean):
        return last not in op.axes
    if isinstance(op, Pad):
        return op.paddings[last] == (0, 0)
    return isinstance(op, Relu | LeakyRelu | MaxPool2D | AveragePool2D | Reshape)


def _reached(graph: Graph, task: Task, bounded: Sequence[Operator]) -> set[str]:
    """Names of the operators whose output is 6 somewhere."""
    names = tuple(dict.fromkeys(op.outputs[0] for op in bounded))
    reached: set[str] = set()
    if not names:
        return reached
    with task.progress("looking for RELU6 that end at 6", len(task.samples[0])) as update:
        for done, row in enumerate(iterate_activations(graph, task.samples, names), start=1):
            ends = {name for name, value in zip(names, row, strict=True) if value.max() >= SIX}
            reached |= {op.name for op in bounded if op.outputs[0] in ends}
            update(done)
    return reached


def _converged_scales(graph: Graph, pairs: Sequence[Pair]) -> list[Array]:
    """What each pair's channels are divided by in the first layer, float64."""
    weights = {
        op.name: np.asarray(graph.tensor(op.inputs[1]).constant, np.float64)
        for pair in pairs
        for op in (pair.first, pair.second)
    }
    totals = [np.ones(graph.tensor(pair.first.outputs[0]).shape[-1]) for pair in pairs]
    for _ in range(LARGEST_SWEEPS):
        largest = 0.0
        for place, pair in enumerate(pairs):
            first, second = pair.first, pair.second
            scales = _scales(first, weights[first.name], second, weights[second.name])
            weights[first.name] = _scale_outputs(first, weights[first.name], 1 / scales)
            weights[second.name] = _scale_inputs(second, weights[second.name], scales)
            totals[place] = totals[place] * scales
            largest = max(largest, float(np.abs(np.log(scales)).max()))
        if largest < CONVERGED:
            break
    return totals


def _scales(first: Scaled, before: Array, second: Scaled, after: Array) -> Array:
    """Equation 11; a channel that has no weights in either layer stays as it is."""
    made, read = _output_ranges(first, before), _input_ranges(second, after)
    counts = (made > 0) & (read > 0)
    return np.where(counts, np.sqrt(np.where(counts, made, 1) / np.where(counts, read, 1)), 1.0)


def _rescaled(graph: Graph, pairs: Sequence[Pair], scales: Sequence[Array]) -> Graph:
    tensors = dict(graph.tensors)

    def change(name: str, data: Array) -> None:
        tensors[name] = replace(tensors[name], quant=None, data=data.astype(np.float32))

    for pair, factors in zip(pairs, scales, strict=True):
        first, second = pair.first, pair.second
        name = first.inputs[1]
        change(name, _scale_outputs(first, tensors[name].constant, 1 / factors))
        name = second.inputs[1]
        change(name, _scale_inputs(second, tensors[name].constant, factors))
        bias = bias_of(graph, first)
        if bias is not None:
            change(bias.name, tensors[bias.name].constant / factors)
    return replace(graph, tensors=tensors)


def _without_bounds(graph: Graph, pairs: Sequence[Pair]) -> Graph:
    bounded = {op.name for pair in pairs for op in pair.bounded}
    ops = (_unbounded(op) if op.name in bounded else op for op in graph.ops)
    return replace(graph, ops=tuple(ops))


def _unbounded(op: Op) -> Op:
    return replace(op, activation=Activation.RELU)  # type: ignore[call-arg]  # it has one


def _output_axis(op: Scaled) -> int:
    return op.channel_axis if isinstance(op, Conv2D | DepthwiseConv2D) else 0


def _output_ranges(op: Scaled, weights: Array) -> Array:
    axis = _output_axis(op)
    others = tuple(each for each in range(weights.ndim) if each != axis)
    return np.asarray(np.abs(weights).max(axis=others))


def _input_ranges(op: Scaled, weights: Array) -> Array:
    """Largest weight that reads each channel; of a depthwise filter that of all its outputs."""
    ranges = np.abs(weights).reshape(-1, weights.shape[-1]).max(axis=0)
    if isinstance(op, DepthwiseConv2D):
        return np.asarray(ranges.reshape(-1, op.multiplier).max(axis=1))
    return np.asarray(ranges)


def _scale_outputs(op: Scaled, weights: Array, factors: Array) -> Array:
    shape = [1] * weights.ndim
    shape[_output_axis(op)] = -1
    return np.asarray(weights * factors.reshape(shape))


def _scale_inputs(op: Scaled, weights: Array, factors: Array) -> Array:
    """They are the last dimension of weights; a depthwise filter has ``multiplier`` for each."""
    if isinstance(op, DepthwiseConv2D):
        factors = np.repeat(factors, op.multiplier)
    return np.asarray(weights * factors)
