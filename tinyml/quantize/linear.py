"""Layers that are linear in their input but for a fused activation: what methods improve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.ops.contract.operator import operators
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.transpose_conv import TransposeConv

Linear = Conv2D | DepthwiseConv2D | FullyConnected | TransposeConv
BIAS = 2  # its place among the inputs of all of them


def linear_layers(graph: Graph) -> Iterator[Linear]:
    """Those of constant weights, which no other operator reads, and of no computed bias."""
    for op in operators(graph):
        if isinstance(op, Linear):
            weights, bias = op.inputs[1], bias_of(graph, op)
            is_own = graph.tensor(weights).is_constant and len(graph.consumers[weights]) == 1
            if is_own and (bias is None or bias.is_constant):
                yield op


def bias_of(graph: Graph, op: Linear) -> Tensor | None:
    """The bias, float32 (output channels); None where there is none."""
    return graph.optional(op.inputs[BIAS]) if len(op.inputs) > BIAS else None


def with_bias(graph: Graph, op: Linear, data: Array) -> Graph:
    """Give ``op`` this bias, (output channels), and leave that of others as it is."""
    name, present = f"{op.name}/bias", bias_of(graph, op)
    if present is not None and len(graph.consumers[present.name]) == 1:
        name = present.name
    bias = Tensor(name, data.shape, DType.FLOAT32, data=data.astype(np.float32))
    changed = replace(op, inputs=(*op.inputs[:BIAS], name))
    ops = tuple(changed if each.name == op.name else each for each in graph.ops)
    return replace(graph.with_tensors(bias), ops=ops).pruned()
