"""Cases of functions of one tensor, element by element."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from single_operator import OUTPUT, SOURCE, Draw, Ranges, single_operator

from draw.rescaled import rescalings
from tinyml.ir.graph import DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.families.sigmoid import WIDE_OUTPUT_QUANT
from tinyml.ops.families.unary import UnaryOperator

ALL_VALUES = (1, 16, 16, 1)
SHAPES = ((1,), (7,), (3, 5), (2, 3, 3))
ZERO_POINTS = (-128, 127, 0, -1, 5)

RANDOM_PAIRS = 30

Pair = tuple[QuantParams, QuantParams]


def moderate(draw: Draw) -> Iterator[Pair]:
    """Scales of activations as networks have them, for functions that overflow elsewhere."""
    for zero_point in ZERO_POINTS:
        yield QuantParams.per_tensor(0.05, zero_point), draw.quant(0.004, 0.1)
    for _ in range(RANDOM_PAIRS):
        yield draw.quant(0.002, 0.05), draw.quant(0.004, 0.1)


def positive(draw: Draw) -> Iterator[Pair]:
    """Inputs that are never negative."""
    for source, output in moderate(draw):
        yield QuantParams.per_tensor(source.scale[0], -128), output


def function_cases(
    kind: type[UnaryOperator],
    pairs: Callable[[Draw], Iterator[Pair]] = rescalings,
    *,
    output: QuantParams | None = None,
    **fields: Any,
) -> Iterator[tuple[Any, Graph, Ranges]]:
    """One case per pair of parameters, ``output`` in place of theirs."""
    name = kind.__name__.lower()
    draw = Draw(f"{name} {fields}")
    op = kind(name=name, inputs=(SOURCE,), outputs=(OUTPUT,), **fields)
    for source, drawn in pairs(draw):
        quant = output or drawn
        tensor = Tensor(SOURCE, _shape(draw), DType.INT8, source)
        graph = single_operator(op, [tensor], quant)
        yield (tensor.shape, source, quant, fields), graph, {}


def wide_function_cases(
    kind: type[UnaryOperator], pairs: Iterable[Pair], **fields: Any
) -> Iterator[tuple[Any, Graph]]:
    """The same of int16, whose zero points are 0; ``pairs`` are those of its scales."""
    name = kind.__name__.lower()
    draw = Draw(f"{name} int16 {fields}")
    op = kind(name=name, inputs=(SOURCE,), outputs=(OUTPUT,), **fields)
    for source, output in pairs:
        tensor = Tensor(SOURCE, _shape(draw), DType.INT16, source)
        graph = single_operator(op, [tensor], output)
        yield ("int16", tensor.shape, source, output, fields), graph


def _shape(draw: Draw) -> Shape:
    return draw.one_of(ALL_VALUES, ALL_VALUES, *SHAPES)


def wide_moderate(draw: Draw) -> Iterator[Pair]:
    """The same scales in 256 times as fine steps."""
    for source, output in moderate(draw):
        yield (
            QuantParams.per_tensor(source.scale[0] / 256, 0),
            QuantParams.per_tensor(output.scale[0] / 256, 0),
        )


# Powers of two, what counts as one and what just does not, and the ends of what is taken.
SIGMOID_SCALES = (
    *(2.0**-power for power in range(9, 17)),
    *(2.0**-power * nearly for power in (11, 12) for nearly in (0.9996, 1.0006, 1.0008)),
    *(1e-9, 1e-7, 1e-5, 0.0003, 3 / 32768, 10 / 32768, 0.01, 0.3, 1.0, 2.0, 2.7, 5.3),
)


def sigmoid_pairs(draw: Draw) -> Iterator[Pair]:
    """Scales of inputs, and the one scale there is of outputs."""
    for scale in (*SIGMOID_SCALES, *(draw.scale(5e-5, 2e-3) for _ in range(RANDOM_PAIRS))):
        yield QuantParams.per_tensor(scale, 0), WIDE_OUTPUT_QUANT
