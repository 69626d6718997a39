"""Spells ``log(1 + exp(x))`` so that it holds for every x.

Converters write softplus so, where ``exp`` of more than 88 leaves float32: every larger value would
become 88.7, in the float model already.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.abs import Abs
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.exp import Exp
from tinyml.ops.log import Log
from tinyml.ops.neg import Neg
from tinyml.ops.relu import Relu


def spell_softplus(graph: Graph) -> Graph:
    """Write ``max(x, 0) + log(1 + exp(-|x|))`` in the place of each, of a float graph."""
    for op in graph.ops:
        found = _source_and_one(graph, op) if isinstance(op, Log) else None
        if found is not None:
            graph = _spelled(graph, op, *found)
    for kind in (Add, Exp):
        read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
        kept = (op for op in graph.ops if not isinstance(op, kind) or op.outputs[0] in read)
        graph = replace(graph, ops=tuple(kept))
    return graph.pruned()


def _source_and_one(graph: Graph, op: Log) -> tuple[str, str] | None:
    """X and the constant 1 of a LOG of their sum."""
    total = graph.producers.get(op.inputs[0])
    if not isinstance(total, Add) or total.activation is not Activation.NONE:
        return None
    for power, one in (total.inputs, total.inputs[::-1]):
        producer, data = graph.producers.get(power), graph.tensor(one).data
        is_one = data is not None and data.size == 1 and float(data.reshape(())) == 1
        if isinstance(producer, Exp) and is_one and _is_real(graph, op, total, producer):
            return producer.inputs[0], one
    return None


def _is_real(graph: Graph, *ops: Op) -> bool:
    return all(graph.tensor(op.outputs[0]).quant is None for op in ops)


def _spelled(graph: Graph, op: Op, source: str, one: str) -> Graph:
    parts = ("magnitude", "minus", "power", "total", "logarithm", "above")
    magnitude, minus, power, total, logarithm, above = (f"{op.name}/{part}" for part in parts)
    none, relu = Activation.NONE, Activation.RELU
    steps: tuple[Op, ...] = (
        Abs(name=magnitude, inputs=(source,), outputs=(magnitude,)),
        Neg(name=minus, inputs=(magnitude,), outputs=(minus,)),
        Exp(name=power, inputs=(minus,), outputs=(power,)),
        Add(name=total, inputs=(power, one), outputs=(total,), activation=none),
        Log(name=logarithm, inputs=(total,), outputs=(logarithm,)),
        Relu(name=above, inputs=(source,), outputs=(above,), activation=relu),
        Add(name=op.name, inputs=(above, logarithm), outputs=op.outputs, activation=none),
    )
    like = graph.tensor(op.outputs[0])
    inner = (replace(like, name=step.outputs[0]) for step in steps[:-1])
    ops = (each for old in graph.ops for each in (steps if old is op else (old,)))
    return replace(graph.with_tensors(*inner), ops=tuple(ops))
