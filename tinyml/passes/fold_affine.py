"""Folds what multiplies and shifts each channel into the weights and bias before it.

Batch normalization after a convolution is that (arXiv 1806.08342, section 3.1.2), and so are a
bias that stands alone and a constant factor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.mul import Mul
from tinyml.ops.reshape import Reshape
from tinyml.ops.sub import Sub

# The dimension of the weights that output channels run along.
CHANNELS: dict[type[Op], int] = {Conv2D: 0, DepthwiseConv2D: 3, FullyConnected: 0}


@dataclass(frozen=True, slots=True)
class Affine:
    """``factor * source + offset``, each one number or one per channel, the last dimension."""

    op: Op
    source: str
    factor: Array
    offset: Array


def fold_affine(graph: Graph) -> Graph:
    """Fold where nothing else reads the layer's output and the layer has no activation."""
    for op in graph.ops:
        affine = _affine(graph, op)
        layer = None if affine is None else _layer(graph, affine)
        if affine is not None and layer is not None:
            graph = _fold(graph, layer, affine)
    return graph.pruned()


def _affine(graph: Graph, op: Op) -> Affine | None:
    if getattr(op, "activation", None) is not Activation.NONE:
        return None
    if isinstance(op, DepthwiseConv2D):
        return _normalization(graph, op)
    return _arithmetic(graph, op) if isinstance(op, Add | Sub | Mul) else None


def _arithmetic(graph: Graph, op: Op) -> Affine | None:
    first, second = (graph.tensor(name) for name in op.inputs)
    if isinstance(op, Add | Mul) and first.is_constant:
        first, second = second, first
    channels = graph.tensor(op.outputs[0]).shape[-1:]
    if first.is_constant or not second.is_constant or second.quant is not None:
        return None
    is_per_channel = second.size == 1 or (second.size,) == second.shape[-1:] == channels
    if not is_per_channel or graph.tensor(op.outputs[0]).shape != first.shape:
        return None
    value = second.constant.reshape(-1).astype(np.float64)
    one, zero = np.ones(1), np.zeros(1)
    if isinstance(op, Mul):
        return Affine(op, first.name, value, zero)
    return Affine(op, first.name, one, value if isinstance(op, Add) else -value)


def _normalization(graph: Graph, op: DepthwiseConv2D) -> Affine | None:
    """Take a 1x1 filter of every channel for what it is."""
    source, weights, bias = (graph.tensor(name) for name in op.inputs)
    is_pointwise = weights.shape[1:3] == (1, 1) == op.stride and op.multiplier == 1
    if not is_pointwise or weights.data is None or bias.data is None:
        return None
    factor = weights.constant.reshape(-1).astype(np.float64)
    return Affine(op, source.name, factor, bias.constant.reshape(-1).astype(np.float64))


def _layer(graph: Graph, affine: Affine) -> Op | None:
    """The layer before, reshapes that keep the channels in between."""
    layer = graph.producers.get(affine.source)
    name = affine.source
    while layer is not None and _is_only_for_the_next(graph, name):
        if type(layer) in CHANNELS:
            is_plain = getattr(layer, "activation", None) is Activation.NONE
            return layer if is_plain and _has_float_constants(graph, layer) else None
        source = graph.tensor(layer.inputs[0])
        if not isinstance(layer, Reshape) or source.shape[-1:] != graph.tensor(name).shape[-1:]:
            return None
        name, layer = source.name, graph.producers.get(source.name)
    return None


def _is_only_for_the_next(graph: Graph, name: str) -> bool:
    return graph.only_reader(name) is not None and graph.tensor(name).quant is None


def _has_float_constants(graph: Graph, layer: Op) -> bool:
    """Scales of weights or bias would not survive."""
    tensors = [graph.tensor(name) for name in layer.present_inputs[1:]]
    return all(tensor.is_constant and tensor.quant is None for tensor in tensors)


def _fold(graph: Graph, layer: Op, affine: Affine) -> Graph:
    axis = CHANNELS[type(layer)]
    weights = graph.tensor(layer.inputs[1])
    channels = weights.shape[axis]
    shape = [1] * len(weights.shape)
    shape[axis] = channels
    factor = np.broadcast_to(affine.factor, (channels,))
    bias_name, bias = f"{layer.name}/bias", np.zeros(channels)
    if len(layer.present_inputs) > 2:
        bias_name, bias = layer.inputs[2], graph.tensor(layer.inputs[2]).constant.reshape(-1)
    folded = (
        _constant(graph, layer, weights.name, weights.constant * factor.reshape(shape)),
        _constant(graph, layer, bias_name, bias * factor + affine.offset),
    )
    inputs = (layer.inputs[0], *(tensor.name for tensor in folded))
    changed = replace(layer, inputs=inputs)
    return _without(graph.with_tensors(*folded), layer, changed, affine)


def _constant(graph: Graph, layer: Op, name: str, data: Array) -> Tensor:
    """Keep the name of what is replaced, unless others read that too."""
    data = data.astype(np.float32)
    others = [op for op in graph.consumers.get(name, ()) if op is not layer]
    while others and name in graph.tensors:
        name = f"{name}/folded"
    return Tensor(name, data.shape, DType.FLOAT32, data=data)


def _without(graph: Graph, layer: Op, folded: Op, affine: Affine) -> Graph:
    """Take the affine operator out: what wrote its input now writes its output."""
    ops = [folded if op is layer else op for op in graph.ops if op is not affine.op]
    output = affine.op.outputs[0]
    for place, op in enumerate(ops):
        if op.outputs == (affine.source,):
            ops[place] = replace(op, name=output, outputs=(output,))
    return replace(graph, ops=tuple(ops))
