from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from single_operator import OUTPUT, Draw, Ranges, limits_of, single_operator

from tinyml.ir.graph import DType, Graph, Shape, Tensor
from tinyml.ops.one_hot import ON_DEVICE, OneHot


@dataclass(frozen=True, kw_only=True)
class Parameters:
    indices: Shape
    axis: int
    depth: int
    dtype: DType
    constant: bool = True


CORNERS = tuple(
    (indices, axis, depth)
    for indices, axis, depth in (
        ((1, 8), 2, 12),
        ((1,), 1, 1),
        ((), 0, 9),
        ((5,), 0, 7),
        ((2, 3), 1, 4),
        ((2, 3), 0, 300),
        ((1, 2, 3, 2), 2, 5),
        ((1, 2, 3, 2), 4, 3),
        ((3, 1), 0, 2),
        ((17,), 1, 10),
    )
)


def cases() -> Iterator[tuple[Parameters, Graph, Ranges]]:
    """Every dtype; indices reach beyond the depth at either end."""
    draw = Draw("one_hot")
    for number, dtype in enumerate(ON_DEVICE):
        for indices, axis, depth in CORNERS:
            constant = (axis + number) % 2 == 0
            p = Parameters(indices=indices, axis=axis, depth=depth, dtype=dtype, constant=constant)
            yield p, _graph(draw, p), {"indices": (-2, depth + 1)}


def _graph(draw: Draw, p: Parameters) -> Graph:
    quant = draw.quant() if p.dtype is DType.INT8 else None
    low, high = limits_of(p.dtype)
    values = [np.array(value).astype(p.dtype.numpy) for value in (high, low)]
    tensors = [
        Tensor("indices", p.indices, DType.INT32),
        *(
            Tensor(name, (), p.dtype, quant, value if p.constant else None)
            for name, value in zip(("on", "off"), values, strict=True)
        ),
    ]
    inputs = tuple(tensor.name for tensor in tensors)
    op = OneHot(name="one_hot", inputs=inputs, outputs=(OUTPUT,), axis=p.axis, depth=p.depth)
    return single_operator(op, tensors, quant)
