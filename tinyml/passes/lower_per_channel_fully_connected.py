"""Turns FULLY_CONNECTED with weights per channel into a 1x1 convolution over one pixel a row.

CMSIS-NN's matrix-vector kernel has one multiplier for all outputs, and TFLite runtimes up to 2.14
refuse such operators of int8; the convolution computes the same sums and is known to both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import DType, Graph, Op, QuantParams, Tensor
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.reshape import Reshape


def lower_per_channel_fully_connected(graph: Graph) -> Graph:
    """Replace each such operator by reshape, convolution, reshape."""
    for op in graph.ops:
        if isinstance(op, FullyConnected) and _is_per_channel(graph, op):
            graph = _lower(graph, op)
    return graph.pruned()


def _is_per_channel(graph: Graph, op: Op) -> bool:
    quant = graph.tensor(op.inputs[1]).quant
    return quant is not None and quant.is_per_channel


def _lower(graph: Graph, op: FullyConnected) -> Graph:
    source, weights = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1])
    output = graph.tensor(op.outputs[0])
    features, depth = weights.shape
    rows = source.size // depth
    shape = (1, 1, rows, depth)
    data = None if source.data is None else source.data.reshape(shape)
    pixels = replace(source, name=f"{op.name}/pixels", shape=shape, data=data)
    results = replace(output, name=f"{op.name}/results", shape=(1, 1, rows, features))
    filters = _as_filters(op, weights)
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    # Runtimes accept a fully connected layer without bias, but no int8 convolution.
    bias = bias or _zero_bias(op, source, filters)
    conv = Conv2D(
        name=results.name,
        inputs=(pixels.name, filters.name, bias.name),
        outputs=(results.name,),
        stride=(1, 1),
        dilation=(1, 1),
        padding=Padding.VALID,
        activation=op.activation,
    )
    first = () if pixels.is_constant else (_reshape(source, pixels),)
    lowered = (*first, conv, _reshape(results, output))
    position = graph.ops.index(op)
    ops = (*graph.ops[:position], *lowered, *graph.ops[position + 1 :])
    return replace(graph.with_tensors(pixels, results, filters, bias), ops=ops)


def _as_filters(op: FullyConnected, weights: Tensor) -> Tensor:
    features, depth = weights.shape
    shape = (features, 1, 1, depth)
    quant = weights.quant
    if quant is not None:
        quant = QuantParams(quant.scale, quant.zero_point, 0)
    data = weights.constant.reshape(shape)
    return replace(weights, name=f"{op.name}/filters", shape=shape, quant=quant, data=data)


def _zero_bias(op: FullyConnected, source: Tensor, filters: Tensor) -> Tensor:
    scales = () if filters.quant is None else filters.quant.scale
    quant = QuantParams(tuple(source.scale * s for s in scales), (0,) * len(scales), 0)
    # int32 beside int16 too: without a bias of 64 bits the reference sums in 32.
    data = np.zeros(len(scales), np.int32)
    return Tensor(f"{op.name}/zero_bias", data.shape, DType.INT32, quant, data)


def _reshape(source: Tensor, output: Tensor) -> Reshape:
    return Reshape(
        name=output.name, inputs=(source.name,), outputs=(output.name,), shape=output.shape
    )
