"""Turns a float function between a DEQUANTIZE and a QUANTIZE into an int8 operator.

Converters leave functions float for which TFLite has no int8 kernel, and so does quantization here
what several operators spell. On the device each is a table of 256 bytes that holds what all of them
together give.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import DType, Graph, Op
from tinyml.numerics.affine import LIMITS, dequantize
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.maximum import Maximum
from tinyml.ops.minimum import Minimum
from tinyml.ops.quantize import Quantize
from tinyml.passes.fuse_functions import Region, as_function, find_region


def fuse_float_functions(graph: Graph) -> Graph:
    """Read the int8 before the DEQUANTIZE and write the int8 after the QUANTIZE."""
    fused: dict[str, Op] = {}
    dropped: set[str] = set()
    for op in graph.ops:
        bounds = _bounds_before(graph, op) if isinstance(op, Quantize) else ()
        region = _region_before(graph, op, bounds) if isinstance(op, Quantize) else None
        if region is not None:
            source = graph.producers[region.source].inputs
            function = _operator(graph, region)
            fused[op.name] = replace(function, name=op.name, inputs=source, outputs=op.outputs)
            dropped.update(step.name for step in (*region.ops, *bounds))
    ops = (fused.get(op.name, op) for op in graph.ops if op.name not in dropped)
    return _without_unread(replace(graph, ops=tuple(ops)))


def _bounds_before(graph: Graph, op: Quantize) -> tuple[Maximum | Minimum, ...]:
    """What keeps results in the output's range, last first: a table does so anyway."""
    found: list[Maximum | Minimum] = []
    reader: Op = op
    while isinstance(bound := graph.producers.get(reader.inputs[0]), Maximum | Minimum):
        if graph.only_reader(bound.name) is not reader or not _is_end(graph, bound, op):
            break
        found.append(bound)
        reader = bound
    return tuple(found)


def _is_end(graph: Graph, bound: Maximum | Minimum, op: Quantize) -> bool:
    """Whether the bound is where the output's integers end."""
    output, constant = graph.tensor(op.outputs[0]), graph.tensor(bound.inputs[1])
    if output.dtype is not DType.INT8 or constant.data is None or constant.size != 1:
        return False
    place = 0 if isinstance(bound, Maximum) else 1
    end = np.array(LIMITS[DType.INT8][place], np.int8)
    return bool(constant.data.reshape(()) == dequantize(end, output.per_tensor))


def _region_before(
    graph: Graph, op: Quantize, bounds: tuple[Maximum | Minimum, ...]
) -> Region | None:
    """What comes between a DEQUANTIZE of int8 and the QUANTIZE, if nothing else reads it."""
    last: Op = bounds[-1] if bounds else op
    name = last.inputs[0]
    if graph.only_reader(name) is not last or name not in graph.producers:
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
