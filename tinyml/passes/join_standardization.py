"""Joins SUB, MUL and QUANTIZE of a float input into the one operator that the device runs."""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.contract.activation import Activation
from tinyml.ops.families.standardize import Standardize
from tinyml.ops.mul import Mul
from tinyml.ops.quantize import Quantize
from tinyml.ops.sub import Sub


def join_standardization(graph: Graph) -> Graph:
    """Replace every such chain whose constants are one number for each channel."""
    joined: dict[str, Op] = {}
    dropped: set[str] = set()
    for op in graph.ops:
        chain = _chain(graph, op) if isinstance(op, Quantize) else None
        if chain is not None:
            difference, product = chain
            inputs = (*difference.inputs, product.inputs[1])
            joined[op.name] = Standardize(name=op.name, inputs=inputs, outputs=op.outputs)
            dropped.update((difference.name, product.name))
    ops = (joined.get(op.name, op) for op in graph.ops if op.name not in dropped)
    return replace(graph, ops=tuple(ops)).pruned() if joined else graph


def _chain(graph: Graph, op: Quantize) -> tuple[Sub, Mul] | None:
    """The operators between a float input and the QUANTIZE, if nothing else reads there."""
    product = graph.producers.get(op.inputs[0])
    difference = graph.producers.get(product.inputs[0]) if isinstance(product, Mul) else None
    if not isinstance(product, Mul) or not isinstance(difference, Sub):
        return None
    is_int8 = graph.tensor(op.outputs[0]).dtype is DType.INT8
    is_input = difference.inputs[0] in graph.inputs
    fits = all(_is_plain(graph, step) for step in (difference, product))
    return (difference, product) if is_int8 and is_input and fits else None


def _is_plain(graph: Graph, op: Sub | Mul) -> bool:
    source, constant = (graph.tensor(name) for name in op.inputs)
    (output,) = op.outputs
    return (
        constant.is_constant
        and constant.shape == source.shape[-1:]
        and {constant.dtype, source.dtype} == {DType.FLOAT32}
        and op.activation is Activation.NONE
        and graph.only_reader(output) is not None
    )
