"""Layers that combine two tensors, or three, element by element."""

from collections.abc import Callable

from draw.booleans import bool_tensor, draw_bools
from single_operator import INT8_DEVIATION, OUTPUT, SOURCE

from layers.place import Drawer, Layer, Place, one, unary
from tinyml.ir.graph import DType, Tensor
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.families.elementwise import ArithmeticOperator, ElementwiseOperator
from tinyml.ops.logical_not import LogicalNot
from tinyml.ops.prelu import Prelu
from tinyml.ops.select import Select
from tinyml.ops.squared_difference import SquaredDifference

# The reference crashes where it broadcasts along more.
MOST_DIMENSIONS = 4

Partner = tuple[str, Tensor, tuple[Tensor, ...]]


def _partner(place: Place) -> Partner:
    """Another tensor of the source's shape, one that broadcasts to it, or a constant."""
    draw, shape = place.draw, place.shape
    alike = place.alike(shape)
    if alike and draw.chance(5 / 6):
        chosen = draw.one_of(*alike)
        return chosen.name, chosen, ()
    reduced = tuple(1 if draw.chance(1 / 2) else size for size in shape)
    if len(shape) <= MOST_DIMENSIONS:
        shape = draw.one_of(shape, reduced, shape[-1:], (1,) * len(shape))
    quant = None if place.source.quant is None else place.rescaled()
    constant = place.constant("constant", shape, quant)
    return constant.name, constant, (constant,)


def arithmetic(
    operator: type[ArithmeticOperator], scale: Callable[[float, float, int], float]
) -> Drawer:
    """``scale`` gives the output's natural scale from those of the inputs."""

    def layer(place: Place) -> Layer:
        draw = place.draw
        name, other, constants = _partner(place)
        inputs = (SOURCE, name) if draw.chance(3 / 4) else (name, SOURCE)
        op = operator(**unary(activation=place.activation()) | {"inputs": inputs})
        natural = scale(place.source.scale, other.scale, place.steps)
        return one(op, place.scaled(natural * draw.scale(0.3, 1.5)), *constants)

    return layer


def of_sum(first: float, second: float, _: int) -> float:
    return first + second


def of_product(first: float, second: float, steps: int) -> float:
    return first * second * INT8_DEVIATION * steps


def squared_difference(place: Place) -> Layer:
    name, other, constants = _partner(place)
    op = SquaredDifference(**unary() | {"inputs": (SOURCE, name)})
    scale = max(place.source.scale, other.scale) ** 2 * INT8_DEVIATION * place.steps
    return one(op, place.scaled(scale), *constants)


def logical(operator: type[ElementwiseOperator]) -> Drawer:
    def layer(place: Place) -> Layer:
        name, _, constants = _partner(place)
        return one(operator(**unary() | {"inputs": (SOURCE, name)}), None, *constants)

    return layer


def logical_not(_: Place) -> Layer:
    return one(LogicalNot(**unary()))


def comparison(place: Place) -> Layer:
    name, _, constants = _partner(place)
    relation = place.draw.one_of(*Relation)
    op = Comparison(**unary(relation=relation) | {"inputs": (SOURCE, name)})
    return one(op, None, *constants)


def extremum(operator: type[ElementwiseOperator]) -> Drawer:
    """Of tensors with one and the same parameters."""

    def layer(place: Place) -> Layer:
        constant = place.constant("constant", place.shape[-1:])
        chosen = place.draw.one_of(*place.equals(place.shape), constant)
        op = operator(**unary() | {"inputs": (SOURCE, chosen.name)})
        return one(op, None, *([constant] if chosen is constant else []))

    return layer


def select(place: Place) -> Layer | None:
    """Between the source and its equals, on a condition that was computed or is constant."""
    if place.source.dtype is DType.BOOL:
        return _select_by_source(place)
    draw, shape = place.draw, place.shape
    drawn = bool_tensor("condition", shape, draw_bools(draw, shape))
    computed = [t for t in place.others if (t.shape, t.dtype) == (shape, DType.BOOL)]
    condition = draw.one_of(*computed) if computed else drawn
    other = place.constant("constant", draw.one_of(shape, shape[-1:]))
    chosen = draw.one_of(*place.equals(shape), other)
    op = _selection(condition.name, SOURCE, chosen.name)
    return one(op, None, *[t for t in (drawn, other) if t in (condition, chosen)])


def _select_by_source(place: Place) -> Layer | None:
    """The source is the condition of another tensor of its shape."""
    shaped = [t for t in place.others if t.shape == place.shape and t.dtype is DType.INT8]
    if not shaped:
        return None
    first = place.draw.one_of(*shaped)
    other = Place(place.draw, first).constant("constant", place.shape[-1:])
    return one(_selection(SOURCE, first.name, other.name), first.quant, other)


def _selection(*inputs: str) -> Operator:
    return Select(name=OUTPUT, inputs=inputs, outputs=(OUTPUT,), by_row=False)


def prelu(place: Place) -> Layer | None:
    """One slope for every channel, or for all of them."""
    if len(place.shape) > MOST_DIMENSIONS:
        return None
    shape = place.draw.one_of(place.shape[-1:], (1,))
    slopes = place.constant("slopes", shape, place.draw.quant(0.001, 0.01))
    op = Prelu(**unary() | {"inputs": (SOURCE, slopes.name)})
    return one(op, place.rescaled(), slopes)
