"""Lets a GATHER pick real numbers where it picked integers that a DEQUANTIZE made real at once.

That is how TensorFlow's converter stores the table of an embedding in a dynamic-range model.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.gather import Gather


def widen_tables(graph: Graph) -> Graph:
    """Widen the tables of a graph in which nothing else is quantized."""
    found = {
        op.name: back
        for op in graph.ops
        if isinstance(op, Gather) and (back := _only_dequantize(graph, op)) is not None
    }
    left = (t for t in graph.tensors.values() if t.quant is not None and not t.is_constant)
    if not found or any(tensor.name not in found for tensor in left):
        return graph
    dropped = {back.name for back in found.values()}
    tables = (widened(graph.tensor(op.inputs[0])) for op in graph.ops if op.name in found)
    graph = graph.with_tensors(*(replace(t, name=_real(t.name)) for t in tables))
    ops = (
        _picking_reals(op, found[op.name]) if op.name in found else op
        for op in graph.ops
        if op.name not in dropped
    )
    return replace(graph, ops=tuple(ops)).pruned()


def _only_dequantize(graph: Graph, op: Gather) -> Op | None:
    """The one reader of what is picked from a constant table."""
    table, (picked,) = graph.tensor(op.inputs[0]), op.outputs
    readers = graph.consumers[picked]
    is_small = table.is_constant and table.quant is not None and table.dtype is not DType.FLOAT32
    is_inner = len(readers) == 1 and picked not in graph.outputs
    return readers[0] if is_small and is_inner and isinstance(readers[0], Dequantize) else None


def _picking_reals(op: Op, back: Op) -> Op:
    inputs = (_real(op.inputs[0]), *op.inputs[1:])
    return replace(op, name=back.outputs[0], inputs=inputs, outputs=back.outputs)


def _real(table: str) -> str:
    return f"{table}/real"


def widened(tensor: Tensor) -> Tensor:
    """Give the real numbers of a constant, with the scales of its integers beside them."""
    if tensor.quant is None:
        return tensor
    return replace(tensor, dtype=DType.FLOAT32, data=dequantize(tensor.constant, tensor.quant))
