"""Gives an input that is only cast the dtype it is cast to, without the CAST.

Ids that come as floats and are cast to int32 at once stay integers so: quantized, a cast would see
their codes. Pixels that come as integers and are cast to float32 become real numbers, which are
quantized like any others.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.cast import Cast
from tinyml.ops.contract.operator import Operator


def take_cast_inputs(graph: Graph) -> Graph:
    """Change each input whose only readers are CASTs to one dtype, movements before them too."""
    for name in graph.inputs:
        if graph.tensor(name).quant is None:
            graph = _with_input(graph, name)
    return graph


def _with_input(graph: Graph, name: str) -> Graph:
    moved, casts = _readers(graph, name)
    dtypes = {cast.dtype for cast in casts}
    if len(dtypes) != 1 or any(cast.outputs[0] in graph.outputs for cast in casts):
        return graph
    (dtype,) = dtypes
    names = {cast.outputs[0]: cast.inputs[0] for cast in casts}
    dropped = {cast.name for cast in casts}
    changed = [replace(graph.tensor(each), dtype=dtype) for each in (name, *moved)]
    ops = (op.renamed(names) for op in graph.ops if op.name not in dropped)
    return replace(graph.with_tensors(*changed), ops=tuple(ops)).pruned()


def _readers(graph: Graph, name: str) -> tuple[list[str], list[Cast]]:
    """Tensors that hold nothing but the input's elements, and the CASTs that read them.

    Nothing where another operator, or the caller, reads one of them.
    """
    moved, casts, waiting = list[str](), list[Cast](), [name]
    while waiting:
        tensor = waiting.pop()
        for op in graph.consumers[tensor]:
            if isinstance(op, Cast):
                casts.append(op)
            elif _only_moves(graph, op):
                moved += op.outputs
                waiting += op.outputs
            else:
                return [], []
    return ([], []) if {name, *moved} & set(graph.outputs) else (moved, casts)


def _only_moves(graph: Graph, op: Op) -> bool:
    """Whether an operator only moves its one input's elements, whatever they are."""
    return (
        isinstance(op, Operator)
        and len(op.inputs) == 1
        and op.quantization_rule(graph).output_follows_input
        and {DType.INT32, DType.BOOL} <= op.kernels.keys()
    )
