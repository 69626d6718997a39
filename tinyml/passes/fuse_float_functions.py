"""Turns a float function between a DEQUANTIZE and a QUANTIZE into an int8 operator.

Converters leave functions float for which TFLite has no int8 kernel, and so does quantization here
what several operators spell. On the device each is a table of 256 bytes that holds what all of them
together give.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.quantize import Quantize
from tinyml.passes.fuse_functions import Region, as_function, find_region


def fuse_float_functions(graph: Graph) -> Graph:
    """Read the int8 before the DEQUANTIZE and write the int8 after the QUANTIZE."""
    fused: dict[str, Op] = {}
    dropped: set[str] = set()
    for op in graph.ops:
        region = _region_before(graph, op) if isinstance(op, Quantize) else None
        if region is not None:
            source = graph.producers[region.source].inputs
            function = _operator(graph, region)
            fused[op.name] = replace(function, name=op.name, inputs=source, outputs=op.outputs)
            dropped.update(step.name for step in region.ops)
    ops = (fused.get(op.name, op) for op in graph.ops if op.name not in dropped)
    return _without_unread(replace(graph, ops=tuple(ops)))


def _region_before(graph: Graph, op: Quantize) -> Region | None:
    """What comes between a DEQUANTIZE of int8 and the QUANTIZE, if nothing else reads it."""
    (name,) = op.inputs
    if name in graph.outputs or graph.consumers[name] != (op,) or name not in graph.producers:
        return None
    region = find_region(graph, graph.producers[name])
    source = graph.producers.get(region.source) if region else None
    if not isinstance(source, Dequantize):
        return None
    dtypes = {graph.tensor(end).dtype for end in (*source.inputs, *op.outputs)}
    return region if dtypes == {DType.INT8} else None


def _operator(graph: Graph, region: Region) -> UnaryOperator:
    """The function itself where it is one operator."""
    (*others, last) = region.ops
    if not others and isinstance(last, UnaryOperator):
        return replace(last, in_float=True)
    return replace(as_function(graph, region), in_float=True)


def _without_unread(graph: Graph) -> Graph:
    """Drop every DEQUANTIZE that only fused functions read."""
    read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
    ops = (op for op in graph.ops if not isinstance(op, Dequantize) or op.outputs[0] in read)
    return replace(graph, ops=tuple(ops)).pruned()
