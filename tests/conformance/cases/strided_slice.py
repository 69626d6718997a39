from collections.abc import Iterator
from dataclasses import dataclass, fields

from draw.moved import moved, with_int16
from single_operator import OUTPUT, SOURCE, Draw

from tinyml.ir.graph import Graph, Shape
from tinyml.ops.strided_slice import StridedSlice


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0


IMAGE = (1, 6, 7, 5)

CORNERS = (
    Parameters(shape=(9,), begin=(1,), end=(8,), strides=(1,)),
    Parameters(shape=(9,), begin=(0,), end=(9,), strides=(2,)),
    Parameters(shape=(9,), begin=(-3,), end=(-1,), strides=(1,)),
    Parameters(shape=(9,), begin=(-100,), end=(100,), strides=(4,)),
    Parameters(shape=(9,), begin=(8,), end=(0,), strides=(-1,)),
    Parameters(shape=(9,), begin=(-1,), end=(-100,), strides=(-1,)),
    Parameters(shape=(9,), begin=(100,), end=(1,), strides=(-3,)),
    Parameters(shape=(9,), begin=(0,), end=(0,), strides=(-1,), begin_mask=1, end_mask=1),
    Parameters(shape=(9,), begin=(4,), end=(0,), strides=(1,), end_mask=1),
    Parameters(shape=(9,), begin=(4,), end=(0,), strides=(1,), shrink_axis_mask=1),
    Parameters(shape=(9,), begin=(-2,), end=(-1,), strides=(1,), shrink_axis_mask=1),
    Parameters(shape=(9,), begin=(-1,), end=(0,), strides=(1,), shrink_axis_mask=1),
    # The last row, the last step of a sequence, every second pixel, mirrored images.
    Parameters(shape=(4, 6), begin=(-1, 0), end=(0, 6), strides=(1, 1), shrink_axis_mask=1),
    Parameters(
        shape=(1, 8, 6),
        begin=(0, -1, 0),
        end=(0, 0, 0),
        strides=(1, 1, 1),
        begin_mask=5,
        end_mask=5,
        shrink_axis_mask=2,
    ),
    Parameters(shape=IMAGE, begin=(0, 0, 0, 0), end=IMAGE, strides=(1, 2, 2, 1)),
    Parameters(shape=IMAGE, begin=(0, 1, 1, 0), end=IMAGE, strides=(1, 2, 2, 1)),
    Parameters(
        shape=IMAGE,
        begin=(0, 0, 0, 0),
        end=(0, 0, 0, 0),
        strides=(1, 1, -1, 1),
        begin_mask=15,
        end_mask=15,
    ),
    Parameters(
        shape=IMAGE,
        begin=(0, 0, 0, 0),
        end=(0, 0, 0, 0),
        strides=(1, -1, -2, -1),
        begin_mask=15,
        end_mask=15,
    ),
    # Fewer entries than dimensions.
    Parameters(shape=IMAGE, begin=(0, 2), end=(1, 4), strides=(1, 1)),
    Parameters(shape=(3, 4, 5), begin=(1,), end=(3,), strides=(1,)),
    # Ellipsis and new dimensions.
    Parameters(shape=IMAGE, begin=(0, 1), end=(0, 3), strides=(1, 1), ellipsis_mask=1),
    Parameters(
        shape=IMAGE,
        begin=(0, 0, 2),
        end=(1, 0, 5),
        strides=(1, 1, 2),
        ellipsis_mask=2,
        shrink_axis_mask=1,
    ),
    Parameters(shape=(4, 6), begin=(0, 0), end=(0, 4), strides=(1, 2), new_axis_mask=1),
    Parameters(shape=(4, 6), begin=(1, 0, 2), end=(3, 0, 6), strides=(1, 1, 3), new_axis_mask=2),
    Parameters(
        shape=(4, 6),
        begin=(0, 0),
        end=(0, 0),
        strides=(1, 1),
        ellipsis_mask=1,
        new_axis_mask=2,
    ),
    Parameters(
        shape=(2, 3, 4, 5, 6), begin=(0, 0, 1, 1, 5), end=(2, 3, 4, 4, 0), strides=(1, 2, 1, 2, -2)
    ),
)

RANDOM_CASES = 24


@with_int16
def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("strided_slice")
    for p in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        values = {field.name: getattr(p, field.name) for field in fields(p)}
        shape = values.pop("shape")
        op = StridedSlice(name="strided_slice", inputs=(SOURCE,), outputs=(OUTPUT,), **values)
        yield p, moved(draw, op, shape)


def _drawn(draw: Draw) -> Parameters:
    """Never empty: begin and end are a positive number of steps apart."""
    shape = draw.shape(draw.integer(1, 4), 8)
    begin, end, strides = [], [], []
    for size in shape:
        stride = draw.one_of(-3, -2, -1, 1, 1, 2, 3)
        first = draw.integer(0, size - 1)
        reach = draw.integer(1, 9) * (1 if stride > 0 else -1)
        # One before the first element is counted from the back, far enough to fall off.
        last = first + reach if first + reach >= 0 else -size - 1
        begin.append(draw.one_of(first, first - size))
        end.append(last)
        strides.append(stride)
    return Parameters(
        shape=shape,
        begin=tuple(begin),
        end=tuple(end),
        strides=tuple(strides),
        end_mask=draw.one_of(0, 0, draw.integer(0, 15)),
    )
