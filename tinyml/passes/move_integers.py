"""Turns a movement of floats between a DEQUANTIZE and QUANTIZEs into one of integers.

Converters leave some movements float, a GRU's first SPLIT among them. Where the scale after it is
the scale before it, each value comes back as the integer it was.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op, Tensor
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.families.movement import MovementOperator
from tinyml.ops.quantize import Quantize


def move_integers(graph: Graph) -> Graph:
    """Move what the DEQUANTIZE read to what the QUANTIZEs write."""
    for op in graph.ops:
        if not isinstance(op, MovementOperator) or len(op.inputs) != 1:
            continue
        source = graph.producers.get(op.inputs[0])
        if isinstance(source, Dequantize) and _comes_back(graph, op, source):
            graph = _moved(graph, op, source)
    return graph


def _comes_back(graph: Graph, op: Op, source: Dequantize) -> bool:
    """Whether every output is read at most once, and then to become what it was before."""
    integers = graph.tensor(source.inputs[0])
    readers = [graph.consumers[name] for name in op.outputs]
    if any(name in graph.outputs for name in op.outputs) or max(map(len, readers)) != 1:
        return False
    return all(
        isinstance(reader, Quantize) and _is_like(graph.tensor(reader.outputs[0]), integers)
        for found in readers
        for reader in found
    )


def _is_like(tensor: Tensor, other: Tensor) -> bool:
    return (tensor.dtype, tensor.quant) == (other.dtype, other.quant)


def _moved(graph: Graph, op: MovementOperator, source: Dequantize) -> Graph:
    integers = graph.tensor(source.inputs[0])
    quantizes = {name: graph.consumers[name] for name in op.outputs}
    outputs = tuple(found[0].outputs[0] if found else name for name, found in quantizes.items())
    unread = [
        replace(graph.tensor(name), dtype=integers.dtype, quant=integers.quant)
        for name, found in quantizes.items()
        if not found
    ]
    moved = replace(op, name=outputs[0], inputs=source.inputs, outputs=outputs)
    dropped = {reader.name for found in quantizes.values() for reader in found}
    if graph.only_reader(source.outputs[0]) is op:
        dropped.add(source.name)
    ops = (moved if each is op else each for each in graph.ops)
    kept = tuple(each for each in ops if each is moved or each.name not in dropped)
    return replace(graph.with_tensors(*unread), ops=kept).pruned()
