"""Makes int64 ids and indices int32, which is what the device computes with.

Keras casts ids to int64 before it makes them one-hot, and takes the ARG_MAX in int64.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ops.arg_extremum import ArgExtremum
from tinyml.ops.cast import Cast

LIMITS = np.iinfo(np.int32)


def narrow_integers(graph: Graph) -> Graph:
    """Change all int64 tensors but biases, where none is an output and all constants fit."""
    wide = [t for t in graph.tensors.values() if t.dtype is DType.INT64 and t.quant is None]
    kept = {*graph.outputs, *graph.state_names}
    if all(t.is_constant for t in wide) or not all(map(_fits, wide)):
        return graph
    if any(tensor.name in kept for tensor in wide):
        return graph
    changed = replace(
        graph.with_tensors(*map(_narrowed, wide)), ops=tuple(map(_narrowed_op, graph.ops))
    )
    return _without_idle_casts(changed)


def _fits(tensor: Tensor) -> bool:
    data = tensor.data
    return data is None or bool(((data >= LIMITS.min) & (data <= LIMITS.max)).all())


def _narrowed(tensor: Tensor) -> Tensor:
    data = None if tensor.data is None else tensor.data.astype(np.int32)
    return replace(tensor, dtype=DType.INT32, data=data)


def _narrowed_op(op: Op) -> Op:
    if isinstance(op, Cast | ArgExtremum) and op.dtype is DType.INT64:
        return replace(op, dtype=DType.INT32)
    return op


def _without_idle_casts(graph: Graph) -> Graph:
    """Leave out the CASTs that were from one width to the other."""
    names: dict[str, str] = {}
    ops: list[Op] = []
    for op in graph.ops:
        if _is_idle(graph, op):
            names[op.outputs[0]] = names.get(op.inputs[0], op.inputs[0])
        else:
            inputs = tuple(names.get(name, name) for name in op.inputs)
            ops.append(replace(op, inputs=inputs))
    return replace(graph, ops=tuple(ops)).pruned()


def _is_idle(graph: Graph, op: Op) -> bool:
    return (
        isinstance(op, Cast)
        and graph.tensor(op.inputs[0]).dtype is op.dtype is DType.INT32
        and op.outputs[0] not in graph.outputs
    )
