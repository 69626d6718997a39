"""Takes a common factor out of a sum of two products: ``x * s + a * s`` becomes ``(x + a) * s``.

Converters write a normalization as ``x * s - mean * s``, with its offset or without. In int8 both
products may be large where their difference is small, and it is then mostly rounding errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyml.ir.graph import Graph, Op, Tensor
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.mul import Mul
from tinyml.ops.neg import Neg
from tinyml.ops.sub import Sub


@dataclass(frozen=True, slots=True)
class Sum:
    """``first * factor``, and ``second * factor`` added or subtracted, then ``offset`` if any."""

    first: str
    second: str
    factor: str
    subtracts: bool
    offset: str = ""


def take_factors_out(graph: Graph) -> Graph:
    """Rewrite every such sum of a float graph whose products nothing else reads."""
    for op in graph.ops:
        found = _sum(graph, op) if isinstance(op, Add | Sub) else None
        if isinstance(op, Add | Sub) and found is not None:
            graph = _rewritten(graph, op, found)
    return _without_unread(graph)


def _sum(graph: Graph, op: Add | Sub) -> Sum | None:
    """What the operator adds up, in whichever order."""
    first, second = op.inputs
    if isinstance(op, Sub):
        return _of_products(graph, first, second, subtracts=True)
    for one, other in ((first, second), (second, first)):
        inner = _own(graph, other)
        if isinstance(inner, Sub):  # offset - a * s
            offset, product = inner.inputs
            found = _of_products(graph, one, product, subtracts=True)
        elif isinstance(inner, Add):  # a * s + offset
            pairs = (inner.inputs, inner.inputs[::-1])
            sums = ((_of_products(graph, one, p, subtracts=False), o) for p, o in pairs)
            found, offset = next((pair for pair in sums if pair[0]), (None, ""))
        else:
            found, offset = _of_products(graph, one, other, subtracts=False), ""
        if found is not None:
            return replace(found, offset=offset)
    return None


def _of_products(graph: Graph, first: str, second: str, *, subtracts: bool) -> Sum | None:
    """The sum of two products that have a factor in common."""
    one, other = _own(graph, first), _own(graph, second)
    if not isinstance(one, Mul) or not isinstance(other, Mul):
        return None
    for x, factor in (one.inputs, one.inputs[::-1]):
        if factor in other.inputs and x != factor:
            (a,) = [name for name in other.inputs if name != factor] or [factor]
            return Sum(x, a, factor, subtracts)
    return None


def _own(graph: Graph, name: str) -> Op | None:
    """What makes a float tensor that is read once, by an operator without an activation."""
    op = graph.producers.get(name)
    is_inner = graph.only_reader(name) is not None
    is_plain = getattr(op, "activation", None) is Activation.NONE
    return op if is_inner and is_plain and graph.tensor(name).quant is None else None


def _rewritten(graph: Graph, op: Add | Sub, found: Sum) -> Graph:
    second, subtracts = found.second, found.subtracts
    negated = graph.producers.get(second)
    if isinstance(negated, Neg):
        second, subtracts = negated.inputs[0], not subtracts
    none, output = Activation.NONE, graph.tensor(op.outputs[0])
    total, product = f"{op.name}/sum", f"{op.name}/product" if found.offset else op.outputs[0]
    shapes = [graph.tensor(name).shape for name in (found.first, second)]
    summed = Tensor(total, np.broadcast_shapes(*shapes), output.dtype)
    scaled = np.broadcast_shapes(summed.shape, graph.tensor(found.factor).shape)
    last = none if found.offset else op.activation
    kind = Sub if subtracts else Add
    steps: tuple[Op, ...] = (
        kind(name=total, inputs=(found.first, second), outputs=(total,), activation=none),
        Mul(name=product, inputs=(total, found.factor), outputs=(product,), activation=last),
    )
    if found.offset:
        inputs = (product, found.offset)
        steps += (Add(name=op.name, inputs=inputs, outputs=op.outputs, activation=op.activation),)
        graph = graph.with_tensors(Tensor(product, scaled, output.dtype))
    ops = (each for old in graph.ops for each in (steps if old is op else (old,)))
    return replace(graph.with_tensors(summed), ops=tuple(ops))


def _without_unread(graph: Graph) -> Graph:
    """Drop what only the products read, and the products."""
    for kind in (Add | Sub, Mul, Neg):
        read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
        kept = (op for op in graph.ops if not isinstance(op, kind) or op.outputs[0] in read)
        graph = replace(graph, ops=tuple(kept))
    return graph.pruned()
