from collections.abc import Iterator
from dataclasses import dataclass

from draw.booleans import bool_tensor, draw_bools
from draw.corners import corners_and_drawn
from draw.moved import with_int16
from draw.retyped import retyped
from single_operator import OUTPUT, Draw, int8_tensor, single_operator

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.select import Select

IMAGE = (1, 3, 5, 7)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``shapes`` are those of the condition and of both choices."""

    shapes: tuple[Shape, Shape, Shape]
    by_row: bool = False
    constant: int | None = None  # the index of the input that is one


CORNERS = (
    *(Parameters(shapes=((size,),) * 3) for size in (1, 2, 3, 5, 16, 300)),
    *(
        Parameters(shapes=shapes)
        for shapes in (
            (IMAGE, IMAGE, IMAGE),
            (IMAGE, IMAGE, ()),
            (IMAGE, (), (7,)),
            ((), IMAGE, IMAGE),
            ((7,), IMAGE, IMAGE),
            ((5, 1), IMAGE, (1, 3, 1, 1)),
            ((1, 3, 1, 1), (7,), (5, 1)),
            ((4, 1, 1), (1, 3, 1), (1, 1, 5)),
            ((2, 3), (1, 1), (2, 1)),
        )
    ),
    *(Parameters(shapes=(IMAGE, IMAGE, (7,)), constant=index) for index in range(3)),
    *(
        Parameters(shapes=(condition, choices, choices), by_row=True)
        for condition, choices in (
            ((4,), (4,)),
            ((4,), (4, 3)),
            ((4,), (4, 4)),
            ((3,), (3, 2, 2, 3)),
            ((), (2, 3)),
            ((1,), (1, 2, 3)),
            (IMAGE, IMAGE),
        )
    ),
    Parameters(shapes=((4,), (4, 5), (4, 5)), by_row=True, constant=0),
)

RANDOM_CASES = 16


def cases() -> Iterator[tuple[Parameters, Graph]]:
    """All cases in int8, in int16 and in int32."""
    yield from with_int16(int8_cases, every=1)()
    for parameters, graph in int8_cases():
        yield parameters, retyped(graph, DType.INT32)


def int8_cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from corners_and_drawn("select", CORNERS, _drawn, _graph, RANDOM_CASES)


def _drawn(draw: Draw) -> Parameters:
    shape = draw.shape(draw.integer(1, 4), 5)
    condition, first, second = (
        tuple(draw.one_of(size, size, 1) for size in shape)[draw.integer(0, len(shape)) :]
        for _ in range(3)
    )
    return Parameters(shapes=(condition, first, second))


def _graph(draw: Draw, p: Parameters) -> Graph:
    quant = draw.quant()
    condition, *choices = p.shapes
    known = draw_bools(draw, condition) if p.constant == 0 else None
    tensors = [
        bool_tensor("condition", condition, known),
        *(
            int8_tensor(name, shape, quant, draw.int8(shape) if p.constant == index else None)
            for index, (name, shape) in enumerate(
                zip(("if_true", "if_false"), choices, strict=True), start=1
            )
        ),
    ]
    names = tuple(tensor.name for tensor in tensors)
    op = Select(name="select", inputs=names, outputs=(OUTPUT,), by_row=p.by_row)
    return single_operator(op, tensors, quant)
