"""Graphs of one operator that keeps tensors of its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyml.ir.graph import DType, Graph, QuantParams, State, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.operator import Operator


def stateful_operator(
    op: Operator, tensors: Sequence[Tensor], kept: Sequence[Tensor], quant: QuantParams
) -> Graph:
    """The graph of ``op``; what it keeps starts as TFLite's runtimes start it."""
    by_name = {tensor.name: tensor for tensor in (*tensors, *kept)}
    inputs = tuple(tensor.name for tensor in tensors if not tensor.is_constant)
    graph = Graph(op.name, by_name, (op,), inputs, op.outputs, tuple(map(_at_zero, kept)))
    (spec,) = op.infer(graph)
    graph = graph.with_tensors(Tensor(op.outputs[0], spec.shape, spec.dtype, quant))
    verify_quantized(graph)
    return graph


def _at_zero(tensor: Tensor) -> State:
    byte = tensor.zero_point if tensor.dtype is DType.INT8 else 0
    return State(tensor.name, np.full(tensor.shape, byte, tensor.dtype.numpy))


def int16_tensor(name: str, shape: tuple[int, ...], scale: float) -> Tensor:
    return Tensor(name, shape, DType.INT16, QuantParams.per_tensor(scale, 0))


def with_data(tensor: Tensor, data: np.ndarray) -> Tensor:
    return replace(tensor, data=data.astype(tensor.dtype.numpy))
