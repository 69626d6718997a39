from collections.abc import Iterator
from dataclasses import dataclass

from single_operator import OUTPUT, Draw, int8_tensor, single_operator

from tinyml.ir.graph import Graph, QuantParams, Shape
from tinyml.ops.activation import Activation
from tinyml.ops.add import Add


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``scales`` are those of both inputs and of the output; None is drawn."""

    shape: Shape = (1, 3, 5, 7)
    scales: tuple[float, float, float] = (0.05, 0.03, 0.06)
    zero_points: tuple[int, int, int] | None = None
    activation: Activation = Activation.NONE
    twice: bool = False
    constant: int | None = None  # the index of the input that is one


CORNERS = (
    *(Parameters(shape=(size,)) for size in (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 300)),
    *(Parameters(shape=shape) for shape in ((3, 5), (2, 3, 4), (2, 1, 3, 3))),
    # Very different scales, equal ones, powers of two, outputs far larger and far smaller.
    Parameters(scales=(1.0, 1e-3, 1.0)),
    Parameters(scales=(1e-3, 1.0, 1.0)),
    Parameters(scales=(1e-6, 1.0, 1.0)),
    Parameters(scales=(1e-10, 1.0, 0.7)),
    Parameters(scales=(0.1, 0.1, 0.1)),
    Parameters(scales=(0.5, 0.25, 1.0)),
    Parameters(scales=(0.1, 0.1, 0.2)),
    Parameters(scales=(0.1, 0.07, 10.0)),
    Parameters(scales=(0.1, 0.07, 1e-4)),
    Parameters(scales=(0.1, 0.07, 1e6)),
    *(
        Parameters(zero_points=zero_points)
        for zero_points in ((-128, -128, -128), (127, 127, 127), (-128, 127, 0), (0, 0, 0))
    ),
    Parameters(zero_points=(127, -128, 127), scales=(1.0, 1e-3, 0.5)),
    *(Parameters(activation=activation) for activation in Activation),
    *(Parameters(activation=activation, shape=(19,)) for activation in Activation),
    Parameters(twice=True),
    Parameters(twice=True, shape=(17,), activation=Activation.RELU),
    Parameters(twice=True, zero_points=(127, 127, -128)),
    Parameters(constant=0),
    Parameters(constant=1, shape=(21,)),
)

RANDOM_CASES = 30


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("add")
    for parameters in (*CORNERS, *(_drawn(draw) for _ in range(RANDOM_CASES))):
        yield parameters, _graph(draw, parameters)


def _drawn(draw: Draw) -> Parameters:
    return Parameters(
        shape=draw.shape(draw.integer(1, 4), 7),
        scales=(draw.scale(0.01), draw.scale(0.01), draw.scale(0.01)),
        activation=draw.activation(),
    )


def _graph(draw: Draw, p: Parameters) -> Graph:
    zero_points = p.zero_points or tuple(draw.zero_point() for _ in range(3))
    first, second, output = map(QuantParams.per_tensor, p.scales, zero_points)
    data = [draw.int8(p.shape) if p.constant == index else None for index in (0, 1)]
    tensors = [
        int8_tensor("first", p.shape, first, data[0]),
        int8_tensor("second", p.shape, second, data[1]),
    ]
    tensors = tensors[:1] if p.twice else tensors
    inputs = (tensors[0].name, tensors[-1].name)
    op = Add(name="add", inputs=inputs, outputs=(OUTPUT,), activation=p.activation)
    return single_operator(op, tensors, output)
