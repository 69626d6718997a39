"""Cases of operators that combine two tensors element by element."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from single_operator import OUTPUT, Draw, limits_of, single_operator, symmetric

from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator

FIRST, SECOND = "first", "second"
IMAGE = (1, 3, 5, 7)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``scales`` and ``zero_points`` are those of both inputs and of the output; None is drawn."""

    shapes: tuple[Shape, Shape] = (IMAGE, IMAGE)
    scales: tuple[float, float, float] | None = None
    zero_points: tuple[int, int, int] | None = None
    activation: Activation = Activation.NONE
    twice: bool = False
    constant: int | None = None  # the index of the input that is one
    dtype: DType = DType.INT8


Make = Callable[[Parameters, tuple[str, str]], Operator]

SIZES = tuple(Parameters(shapes=((size,), (size,))) for size in (1, 2, 3, 4, 5, 8, 17, 300))
BROADCASTS = tuple(
    Parameters(shapes=shapes)
    for shapes in (
        (IMAGE, (7,)),
        ((7,), IMAGE),
        (IMAGE, (1, 1, 1, 7)),
        (IMAGE, (1, 3, 5, 1)),
        (IMAGE, (1, 3, 1, 1)),
        (IMAGE, (5, 1)),
        (IMAGE, ()),
        ((), (9,)),
        ((1,), (2, 3)),
        ((4, 1), (1, 5)),
        ((2, 1, 3, 1), (1, 5, 1, 4)),
        ((2, 3, 1, 5), (3, 4, 1)),
        ((1, 1, 1, 1), (1, 2, 2, 3)),
        ((2, 1, 4), (1, 3, 4)),
    )
)
FIVE_DIMENSIONS = tuple(
    Parameters(shapes=shapes)
    for shapes in (
        ((2, 1, 3, 1, 2), (1, 3, 1, 2, 1)),
        ((2, 3, 2, 2, 3), (3,)),
        ((2, 1, 2, 2, 3), (1, 2, 1, 2, 3)),
    )
)
ZERO_POINTS = tuple(
    Parameters(zero_points=zero_points, shapes=shapes)
    for zero_points in ((-128, -128, -128), (127, 127, 127), (-128, 127, 0), (0, 0, 0))
    for shapes in ((IMAGE, IMAGE), ((3, 7), (1, 7)))
)
ACTIVATIONS = tuple(
    Parameters(activation=activation, shapes=shapes)
    for activation in Activation
    for shapes in (((19,), (19,)), (IMAGE, (7,)))
)
CONSTANTS = (
    Parameters(twice=True),
    Parameters(twice=True, shapes=((17,), (17,)), zero_points=(127, 127, -128)),
    Parameters(constant=0),
    Parameters(constant=1, shapes=((21,), (21,))),
    Parameters(constant=1, shapes=(IMAGE, (7,))),
    Parameters(constant=0, shapes=((), (6,))),
)

RANDOM_CASES = 16


def drawn(draw: Draw, *, activation: bool = False) -> Iterator[Parameters]:
    """Shapes of which some dimensions of either input are broadcast."""
    for _ in range(RANDOM_CASES):
        shape = draw.shape(draw.integer(1, 4), 5)
        first = tuple(draw.one_of(size, size, 1) for size in shape)
        second = tuple(draw.one_of(size, size, 1) for size in shape)[draw.integer(0, len(shape)) :]
        kind = draw.activation() if activation else Activation.NONE
        yield Parameters(shapes=(first, second), activation=kind)


def binary_graph(
    draw: Draw,
    p: Parameters,
    make: Make,
    *,
    scales: tuple[float, float, float] | None = None,
    one_quant: bool = False,
    quantized_output: bool = True,
) -> Graph:
    """The graph of the operator; all tensors take the first one's parameters on ``one_quant``."""
    zero_points = p.zero_points or tuple(draw.zero_point() for _ in range(3))
    chosen = p.scales or scales or tuple(draw.scale(0.01, 0.3) for _ in range(3))
    quants: list[QuantParams | None]
    quants = [_quant(p.dtype, *pair) for pair in zip(chosen, zero_points, strict=True)]
    if one_quant or p.twice:
        quants[1] = quants[0]
    output = quants[0] if one_quant else quants[2]
    tensors = [
        Tensor(name, shape, p.dtype, quant, _data(draw, p, shape) if p.constant == index else None)
        for index, (name, shape, quant) in enumerate(
            zip((FIRST, SECOND), p.shapes, quants, strict=False)
        )
    ]
    tensors = tensors[:1] if p.twice else tensors
    op = make(p, (tensors[0].name, tensors[-1].name))
    return single_operator(op, tensors, output if quantized_output else None)


def _quant(dtype: DType, scale: float, zero_point: int) -> QuantParams | None:
    if dtype is DType.INT32:
        return None
    quant = QuantParams.per_tensor(scale, zero_point)
    return symmetric(quant) if dtype is DType.INT16 else quant


def _data(draw: Draw, p: Parameters, shape: Shape) -> Array:
    low, high = limits_of(p.dtype)
    return draw.rng.integers(low + 1, high + 1, shape).astype(p.dtype.numpy)


def widened(corners: Iterable[Parameters], draw: Draw) -> Iterator[Parameters]:
    """The same and drawn ones in int16."""
    for parameters in (*corners, *drawn(draw, activation=True)):
        yield replace(parameters, dtype=DType.INT16)


def of_integers(draw: Draw) -> Iterator[Parameters]:
    """Cases of int32, which has no scale."""
    for parameters in (*SIZES, *BROADCASTS, *CONSTANTS, *drawn(draw)):
        yield replace(parameters, dtype=DType.INT32, zero_points=None)


def arithmetic(kind: type[Operator], name: str) -> Make:
    """Make operators with a fused activation."""
    return lambda p, inputs: kind(
        name=name, inputs=inputs, outputs=(OUTPUT,), activation=p.activation
    )


def plain(kind: type[Operator], name: str) -> Make:
    """Make operators without fields of their own."""

    def make(_: Parameters, inputs: tuple[str, str]) -> Operator:
        return kind(name=name, inputs=inputs, outputs=(OUTPUT,))

    return make


def extremum_cases(kind: type[Operator], name: str) -> Iterator[tuple[Parameters, Graph]]:
    """MAXIMUM and MINIMUM, whose tensors all share their parameters."""
    draw = Draw(name)
    corners = (*SIZES, *BROADCASTS, *FIVE_DIMENSIONS, *ZERO_POINTS, *CONSTANTS)
    for parameters in (*corners, *drawn(draw)):
        yield parameters, binary_graph(draw, parameters, plain(kind, name), one_quant=True)


def integer_cases(make: Make, name: str) -> Iterator[tuple[Parameters, Graph]]:
    """Cases of int32, drawn under the operator's ``name``."""
    draw = Draw(f"{name} int32")
    for parameters in of_integers(draw):
        yield parameters, binary_graph(draw, parameters, make)
