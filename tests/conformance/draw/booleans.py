"""Cases of operators of bool tensors."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from single_operator import OUTPUT, Draw, single_operator

from draw.binary import BROADCASTS, FIRST, FIVE_DIMENSIONS, SECOND, SIZES, drawn
from tinyml.ir.graph import Array, DType, Graph, Shape, Tensor
from tinyml.ops.contract.operator import Operator


def bool_tensor(name: str, shape: Shape, data: Array | None = None) -> Tensor:
    return Tensor(name, shape, DType.BOOL, data=data)


def draw_bools(draw: Draw, shape: Shape) -> Array:
    return np.asarray(draw.rng.integers(0, 2, shape), np.bool_)


def logical_cases(kind: type[Operator], name: str) -> Iterator[tuple[Any, Graph]]:
    """Two inputs of which, here and there, the second is constant."""
    draw = Draw(name)
    for number, parameters in enumerate((*SIZES, *BROADCASTS, *drawn(draw), *FIVE_DIMENSIONS)):
        first, second = parameters.shapes
        data = draw_bools(draw, second) if number % 5 == 4 else None
        tensors = [bool_tensor(FIRST, first), bool_tensor(SECOND, second, data)]
        op = kind(name=name, inputs=(FIRST, SECOND), outputs=(OUTPUT,))
        yield (parameters, data is None), single_operator(op, tensors, None)
