"""Cases of operators that move elements, over elements of another dtype.

A move of other elements is the move of int8 ones, which the oracles know, seen through any function
of an element that leaves 0 where it is.
"""

from dataclasses import replace

import numpy as np
from single_operator import Case, all_cases

from draw.moved import with_elements
from tinyml.ir.graph import Array, DType, Graph
from tinyml.ops.cast import Cast
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.registry import operator_classes

DTYPES = (DType.INT16, DType.INT32, DType.INT64, DType.UINT8, DType.BOOL)
MOST_CASES = 8
# Odd, so that different elements stay different, and every byte of a product depends on them.
FACTOR = 0x0D0B_0907_0503_0201

# Those that take integers of any size but do more than move them.
COMPUTING = (Cast,)


def moving_classes() -> list[type[Operator]]:
    """The operators whose kernels take elements of all dtypes."""
    return [
        cls
        for cls in operator_classes()
        if cls not in COMPUTING and all(cls.kernels.get(dtype) for dtype in DTYPES)
    ]


def moving_cases() -> list[Case]:
    """Some int8 cases of each, spread over all there are; zero points are 0."""
    found: dict[str, Case] = {}
    every = all_cases()
    for cls in moving_classes():
        cases = [case for case in every if _is_int8(case.graph, cls)]
        found |= {case.name: case for case in cases[:: -(-len(cases) // MOST_CASES)]}
    return [replace(case, graph=retyped(case.graph, DType.INT8)) for case in found.values()]


def _is_int8(graph: Graph, cls: type[Operator]) -> bool:
    ops = [op for op in graph.ops if isinstance(op, cls)]
    return any(graph.tensor(op.inputs[cls.typed_input]).dtype is DType.INT8 for op in ops)


def retyped(graph: Graph, dtype: DType) -> Graph:
    """The graph with elements of ``dtype`` in place of int8."""
    return with_elements(graph, dtype, lambda values: as_dtype(values, dtype))


def as_dtype(values: Array, dtype: DType) -> Array:
    """Elements of ``dtype`` that stand for int8 ones; bool can only tell odd from even."""
    if dtype is DType.INT8:
        return values
    if dtype is DType.BOOL:
        return (values & 1).astype(np.bool_)
    return (values.view(np.uint8).astype(np.uint64) * np.uint64(FACTOR)).astype(dtype.numpy)
