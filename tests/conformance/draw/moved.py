"""Graphs of operators that move the bytes of tensors, whatever these are."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np
from single_operator import SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.contract.operator import Operator

EVERY = 3
# Fills both bytes of an int16, whatever the int8.
WIDER = 257


def moved(draw: Draw, op: Operator, shape: Shape) -> Graph:
    """The source has that shape; all tensors share their scale and zero point."""
    quant = draw.quant()
    return single_operator(op, [int8_tensor(SOURCE, shape, quant)], quant)


def with_int16(
    cases: Callable[[], Iterator[Any]], every: int = EVERY
) -> Callable[[], Iterator[Any]]:
    """After the cases, some of them with int16 in place of int8."""

    @wraps(cases)
    def both() -> Iterator[Any]:
        int8 = list(cases())
        yield from int8
        for parameters, graph, *ranges in int8[::every]:
            yield ("int16", parameters), widened(graph), *ranges

    return both


def widened(graph: Graph) -> Graph:
    """The graph with int16 in place of int8."""
    return graph.with_tensors(*map(_widened, graph.tensors.values()))


def _widened(tensor: Tensor) -> Tensor:
    if tensor.dtype is not DType.INT8:
        return tensor
    data = None
    if tensor.data is not None:
        data = np.asarray(tensor.data.astype(np.int32) * WIDER, np.int16)
    return replace(
        tensor, dtype=DType.INT16, quant=QuantParams.per_tensor(tensor.scale, 0), data=data
    )
