"""Makes one operator of those that together are a function of one tensor, element by element.

Converters spell softplus, mish, swish and others in exponentials, products and selections. In int8
each of those would have a scale of its own, in which what matters to the next may be lost; a table
of the whole function rounds once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.families.function import RESULT, SOURCE, Function
from tinyml.ops.families.pointwise import PointwiseOperator

FLOATS = {DType.FLOAT32, DType.BOOL}


@dataclass(frozen=True, slots=True)
class Region:
    """Float operators, in order, that read ``source`` and constants; the last writes ``output``."""

    source: str
    output: str
    ops: tuple[PointwiseOperator, ...]


def fuse_functions(graph: Graph) -> Graph:
    """Replace every such region of a float graph.

    A region of one operator is left as it is, unless int8 has no kernel for it: a constant divided
    by a tensor, a power.
    """
    fused: dict[str, Function] = {}
    dropped: set[str] = set()
    for op in reversed(graph.ops):
        region = None if op.name in dropped else find_region(graph, op)
        if region is not None and (len(region.ops) > 1 or _lacks_int8(op)):
            dropped.update(step.name for step in region.ops)
            fused[op.name] = as_function(graph, region)
    ops = (fused.get(op.name, op) for op in graph.ops if op.name in fused or op.name not in dropped)
    return replace(graph, ops=tuple(ops)).pruned() if fused else graph


def _lacks_int8(op: Op) -> bool:
    return isinstance(op, PointwiseOperator) and DType.INT8 not in op.kernels


def find_region(graph: Graph, last: Op) -> Region | None:
    """Give the largest region that ends with ``last``; None where it is no function of one tensor.

    All its tensors have one shape. Those inside are float, without a scale, and read by nothing
    else.
    """
    cone = _cone(graph, last)
    order = (*graph.inputs, *graph.state_names, *(name for op in graph.ops for name in op.outputs))
    read = {name for op in cone for name in _variables(graph, op)}
    sources = {name for name in read if graph.tensor(name).dtype is DType.FLOAT32}
    regions = (_region(graph, name, last) for name in order if name in sources)
    return next((region for region in regions if region is not None), None)


def as_function(graph: Graph, region: Region) -> Function:
    """The one operator that stands for the region."""
    names = {region.source: SOURCE, region.output: RESULT}
    read = dict.fromkeys(name for op in region.ops for name in op.inputs)
    return Function(
        name=region.output,
        inputs=(region.source,),
        outputs=(region.output,),
        steps=tuple(op.renamed(names) for op in region.ops),
        inner=tuple(graph.tensor(op.outputs[0]) for op in region.ops[:-1]),
        constants=tuple(graph.tensor(name) for name in read if graph.tensor(name).is_constant),
    )


def _cone(graph: Graph, last: Op, until: str = "") -> list[PointwiseOperator]:
    """Operators that could stand in a region of ``last`` and read no further than ``until``."""
    found: dict[str, PointwiseOperator] = {}
    ahead = [last]
    while ahead:
        op = ahead.pop()
        if isinstance(op, PointwiseOperator) and op.name not in found and _fits(graph, op, last):
            found[op.name] = op
            names = (name for name in op.inputs if name != until)
            ahead += [graph.producers[name] for name in names if name in graph.producers]
    return list(found.values())


def _region(graph: Graph, source: str, last: Op) -> Region | None:
    """The operators between the two, if nothing else goes in or comes out there."""
    cone = {op.name: op for op in _cone(graph, last, source)}
    ops = tuple(cone[op.name] for op in graph.ops if op.name in cone)
    written = {op.outputs[0] for op in ops}
    read = {name for op in ops for name in _variables(graph, op)}
    if source in written or read - written != {source}:
        return None
    inner = written - {last.outputs[0]}
    if any(reader.name not in cone for name in inner for reader in graph.consumers[name]):
        return None
    return Region(source, last.outputs[0], ops)


def _fits(graph: Graph, op: PointwiseOperator, last: Op) -> bool:
    """Whether it computes float elements of the last operator's shape, and may vanish before it."""
    (output,) = (graph.tensor(name) for name in op.outputs)
    shape = graph.tensor(last.outputs[0]).shape
    is_inner = op is last or (output.name not in graph.outputs and output.quant is None)
    inputs = [graph.tensor(name) for name in op.inputs]
    constants = [tensor for tensor in inputs if tensor.is_constant]
    variables = [output, *(tensor for tensor in inputs if not tensor.is_constant)]
    return (
        is_inner
        and all(tensor.size == 1 and tensor.quant is None for tensor in constants)
        and all(tensor.shape == shape for tensor in variables)
        and all(tensor.dtype in FLOATS for tensor in (*constants, *variables))
        and graph.tensor(last.outputs[0]).dtype is DType.FLOAT32
    )


def _variables(graph: Graph, op: Op) -> list[str]:
    return [name for name in op.inputs if not graph.tensor(name).is_constant]
