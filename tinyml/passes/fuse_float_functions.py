"""Turns a float function between a DEQUANTIZE and a QUANTIZE into an int8 operator.

Converters leave functions float for which TFLite has no int8 kernel. On the device each is a table
of 256 bytes that holds what the three operators give.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.quantize import Quantize


def fuse_float_functions(graph: Graph) -> Graph:
    """Read the int8 before the DEQUANTIZE and write the int8 after the QUANTIZE."""
    ops: list[Op] = []
    dropped: set[str] = set()
    for op in graph.ops:
        function = graph.producers.get(op.inputs[0]) if isinstance(op, Quantize) else None
        source = graph.producers.get(function.inputs[0]) if function else None
        if not (
            isinstance(function, UnaryOperator)
            and isinstance(source, Dequantize)
            and graph.only_reader(function.outputs[0]) is op
        ):
            ops.append(op)
            continue
        dropped.add(function.name)
        fused = replace(
            function, name=op.name, inputs=source.inputs, outputs=op.outputs, in_float=True
        )
        ops.append(fused)
    kept = tuple(op for op in ops if op.name not in dropped)
    return _without_unread(replace(graph, ops=kept))


def _without_unread(graph: Graph) -> Graph:
    """Drop every DEQUANTIZE that only fused functions read."""
    read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
    ops = (op for op in graph.ops if not isinstance(op, Dequantize) or op.outputs[0] in read)
    return replace(graph, ops=tuple(ops)).pruned()
