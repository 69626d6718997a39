"""Graphs of operators that move the bytes of tensors, whatever these are."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np
from single_operator import SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, State, Tensor
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
    return with_elements(
        graph, DType.INT16, lambda values: np.asarray(values.astype(np.int32) * WIDER, np.int16)
    )


def with_elements(graph: Graph, dtype: DType, values_of: Callable[[Array], Array]) -> Graph:
    """The graph with elements of ``dtype`` in place of int8; only int8 and int16 have scales.

    ``values_of`` gives those that stand for int8 ones, in constants and first values of states.
    """

    def state(given: State) -> State:
        is_int8 = graph.tensor(given.tensor).dtype is DType.INT8
        return replace(given, initial=values_of(given.initial)) if is_int8 else given

    def tensor(given: Tensor) -> Tensor:
        if given.dtype is not DType.INT8:
            return given
        scaled = dtype in {DType.INT8, DType.INT16}
        quant = QuantParams.per_tensor(given.scale, 0) if scaled else None
        data = None if given.data is None else values_of(given.data)
        return replace(given, dtype=dtype, quant=quant, data=data)

    changed = graph.with_tensors(*map(tensor, graph.tensors.values()))
    return replace(changed, states=tuple(map(state, graph.states)))
