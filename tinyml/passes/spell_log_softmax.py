"""Spells LOG_SOFTMAX of a float graph in operators that int8 holds well.

Exponentials of nothing above 0, a logarithm of nothing below 1, and scales that calibration finds,
where TFLite's int8 kernel ends at -16.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.contract.activation import Activation
from tinyml.ops.exp import Exp
from tinyml.ops.log import Log
from tinyml.ops.log_softmax import LogSoftmax
from tinyml.ops.reduce_max import ReduceMax
from tinyml.ops.sub import Sub
from tinyml.ops.sum import Sum


def spell_log_softmax(graph: Graph) -> Graph:
    """Write ``x - max(x) - log(sum(exp(x - max(x))))`` in the place of each."""
    for op in graph.ops:
        if isinstance(op, LogSoftmax):
            graph = _spelled(graph, op)
    return graph


def _spelled(graph: Graph, op: LogSoftmax) -> Graph:
    source = graph.tensor(op.inputs[0])
    last = (len(source.shape) - 1,)
    row = replace(source, shape=(*source.shape[:-1], 1))
    most, shifted, powers, total, logarithm = (
        f"{op.name}/{part}" for part in ("max", "shifted", "powers", "total", "logarithm")
    )
    steps: tuple[Op, ...] = (
        ReduceMax(name=most, inputs=(source.name,), outputs=(most,), axes=last, keep_dims=True),
        Sub(
            name=shifted, inputs=(source.name, most), outputs=(shifted,), activation=Activation.NONE
        ),
        Exp(name=powers, inputs=(shifted,), outputs=(powers,)),
        Sum(name=total, inputs=(powers,), outputs=(total,), axes=last, keep_dims=True),
        Log(name=logarithm, inputs=(total,), outputs=(logarithm,)),
        Sub(
            name=op.name,
            inputs=(shifted, logarithm),
            outputs=op.outputs,
            activation=Activation.NONE,
        ),
    )
    tensors = [replace(source, name=name) for name in (shifted, powers)]
    tensors += [replace(row, name=name) for name in (most, total, logarithm)]
    ops = (each for old in graph.ops for each in (steps if old is op else (old,)))
    return replace(graph.with_tensors(*tensors), ops=tuple(ops))
