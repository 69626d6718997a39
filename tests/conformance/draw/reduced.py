"""Cases of operators that reduce a tensor along some of its dimensions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.ir.graph import Graph, QuantParams, Shape
from tinyml.ops.families.reduction import ReductionOperator


@dataclass(frozen=True, kw_only=True)
class Parameters:
    shape: Shape
    axes: tuple[int, ...]
    keep_dims: bool
    source: QuantParams | None = None
    output: QuantParams | None = None


SHAPES: tuple[Shape, ...] = ((9,), (4, 7), (3, 4, 5), (2, 5, 3, 4), (2, 3, 2, 3, 2))

CORNERS = (
    *(
        Parameters(shape=shape, axes=axes, keep_dims=(len(shape) + sum(axes)) % 2 == 0)
        for shape in SHAPES
        for count in range(1, len(shape) + 1)
        for axes in combinations(range(len(shape)), count)
    ),
    Parameters(shape=(1, 1, 1, 5), axes=(1, 2), keep_dims=True),
    Parameters(shape=(1, 16, 16, 3), axes=(1, 2), keep_dims=False),
    Parameters(shape=(900,), axes=(0,), keep_dims=False),
)


def reduction_graph(
    draw: Draw, kind: type[ReductionOperator], p: Parameters, output: QuantParams | None = None
) -> Graph:
    """``output`` is the same as the input's parameters where it is not given."""
    source = p.source or draw.quant(0.01, 0.1)
    name = kind.__name__.lower()
    op = kind(name=name, inputs=(SOURCE,), outputs=(OUTPUT,), axes=p.axes, keep_dims=p.keep_dims)
    return single_operator(op, [int8_tensor(SOURCE, p.shape, source)], output or source)


def extremum_cases(kind: type[ReductionOperator]) -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw(kind.__name__)
    for parameters in CORNERS:
        yield parameters, reduction_graph(draw, kind, parameters)
