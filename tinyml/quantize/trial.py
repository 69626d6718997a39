"""A float graph as int8 before there is any data: what it would be, not what it would compute."""

from __future__ import annotations

import numpy as np

from tinyml.errors import ModelError, RefusedError
from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.operator import operators
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

# Every activation's, in place of one that was observed.
RANGE = (-1.0, 1.0)


def quantize_on_trial(graph: Graph) -> Graph:
    """Quantize with made-up ranges.

    Raises RefusedError where operators cannot be quantized, with the reasons of all.
    """
    reasons: dict[str, str] = {}
    for op in operators(graph):
        try:
            op.quantization_rule(graph)
        except ModelError as error:
            reasons[op.name] = str(error)
    if reasons:
        raise RefusedError("\n  ".join(reasons.values()), reasons)
    floats = [t.name for t in graph.tensors.values() if t.dtype is DType.FLOAT32]
    table = CalibrationTable(dict.fromkeys(floats, RANGE), 0)
    with np.errstate(all="ignore"):  # what is computed does not count
        return quantize_graph(graph, table, Scheme())
