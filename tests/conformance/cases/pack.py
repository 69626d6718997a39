from collections.abc import Iterator
from dataclasses import dataclass

from draw.corners import corners_and_drawn
from draw.moved import with_int16
from single_operator import OUTPUT, Draw, int8_tensor, single_operator

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.pack import Pack


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``repeated`` inputs are the first again."""

    shape: Shape
    axis: int
    count: int
    repeated: int = 0
    constant: bool = False  # the last input is one


CORNERS = (
    *(
        Parameters(shape=shape, axis=axis, count=count)
        for shape in ((5,), (3, 4), (2, 3, 4))
        for axis in range(len(shape) + 1)
        for count in (1, 3)
    ),
    Parameters(shape=(), axis=0, count=4),
    Parameters(shape=(1, 2, 3, 4), axis=2, count=2),
    Parameters(shape=(4,), axis=1, count=2, repeated=2),
    Parameters(shape=(4, 3), axis=1, count=2, constant=True),
)

RANDOM_CASES = 16


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("pack", CORNERS, _drawn, _graph, RANDOM_CASES)


def _drawn(draw: Draw) -> Parameters:
    shape = draw.shape(draw.integer(1, 4), 6)
    return Parameters(
        shape=shape,
        axis=draw.integer(0, len(shape)),
        count=draw.integer(2, 5),
        repeated=draw.one_of(0, 0, 1),
        constant=draw.chance(1 / 3),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    quant = draw.quant()
    last = p.count - 1 if p.constant else None
    tensors = [
        int8_tensor(f"source_{i}", p.shape, quant, draw.int8(p.shape) if i == last else None)
        for i in range(p.count)
    ]
    inputs = tuple(tensor.name for tensor in tensors) + (tensors[0].name,) * p.repeated
    op = Pack(name="pack", inputs=inputs, outputs=(OUTPUT,), axis=p.axis)
    return single_operator(op, tensors, quant)
