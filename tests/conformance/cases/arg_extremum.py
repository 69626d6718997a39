from collections.abc import Iterator
from dataclasses import dataclass

from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.arg_extremum import ArgExtremum

SHAPES: tuple[Shape, ...] = ((1,), (9,), (300,), (4, 7), (3, 4, 5), (2, 5, 3, 6), (1, 1, 4, 1))


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    axis: int
    largest: bool
    dtype: DType


CORNERS = tuple(
    Parameters(shape=shape, axis=axis, largest=largest, dtype=dtype)
    for shape in SHAPES
    for axis in range(len(shape))
    for largest in (True, False)
    for dtype in (DType.INT32, DType.INT64)
)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("arg_extremum")
    for p in CORNERS:
        op = ArgExtremum(
            name="arg_extremum",
            inputs=(SOURCE,),
            outputs=(OUTPUT,),
            largest=p.largest,
            axis=p.axis,
            dtype=p.dtype,
        )
        yield p, single_operator(op, [int8_tensor(SOURCE, p.shape, draw.quant())], None)
