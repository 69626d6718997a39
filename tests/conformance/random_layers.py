"""Layers of random networks: how each operator may go on from a tensor of the network.

One function per operator, all in the table LAYERS at the end. A function draws the operator's
parameters and its output's quantization; it gives None, or an operator that refuses its inputs,
where nothing of the kind fits the tensor, and then another one is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from single_operator import OUTPUT, SOURCE, Draw, int8_tensor
from weighted import DRAWN, names, weighted_graph

from tinyml.ir.graph import QuantParams, Shape, Tensor
from tinyml.ops.abs import Abs
from tinyml.ops.activation import Activation
from tinyml.ops.add import Add
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.base import Operator
from tinyml.ops.blocks import BlockOperator
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depth_to_space import DepthToSpace
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.elementwise import ArithmeticOperator, ElementwiseOperator
from tinyml.ops.exp import Exp
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.gelu import Gelu
from tinyml.ops.hard_swish import HardSwish
from tinyml.ops.leaky_relu import LeakyRelu
from tinyml.ops.logistic import Logistic
from tinyml.ops.max_pool_2d import MaxPool2D
from tinyml.ops.maximum import Maximum
from tinyml.ops.mean import Mean
from tinyml.ops.minimum import Minimum
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad
from tinyml.ops.mul import Mul
from tinyml.ops.pad import Pad
from tinyml.ops.pool import Pool2D
from tinyml.ops.prelu import Prelu
from tinyml.ops.quantize import Quantize
from tinyml.ops.reduce_max import ReduceMax
from tinyml.ops.reduce_min import ReduceMin
from tinyml.ops.reduction import ReductionOperator
from tinyml.ops.relu import Relu
from tinyml.ops.reshape import Reshape
from tinyml.ops.resize import ResizeOperator
from tinyml.ops.resize_bilinear import ResizeBilinear
from tinyml.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinyml.ops.slice import Slice
from tinyml.ops.softmax import OUTPUT_QUANT, WIDE_ROW, Softmax
from tinyml.ops.space_to_depth import SpaceToDepth
from tinyml.ops.split import Split
from tinyml.ops.squared_difference import SquaredDifference
from tinyml.ops.strided_slice import StridedSlice
from tinyml.ops.sub import Sub
from tinyml.ops.tanh import Tanh
from tinyml.ops.tile import Tile
from tinyml.ops.transpose import Transpose
from tinyml.ops.unary import UnaryOperator

# A uniform int8 is this far from its zero point, on average.
TYPICAL_INT8 = 74


@dataclass(frozen=True, kw_only=True)
class Layer:
    """An operator that reads tensors of the network and ``constants`` of its own.

    ``quant`` is that of every output; the network names the outputs and the constants.
    """

    op: Operator
    quant: QuantParams
    constants: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where the next layer goes: after ``source``, perhaps joined with one of ``others``."""

    draw: Draw
    source: Tensor
    others: Sequence[Tensor] = field(default_factory=tuple)

    @property
    def is_image(self) -> bool:
        return len(self.source.shape) == 4

    def rescaled(self, low: float = 0.6, high: float = 2.0) -> QuantParams:
        """Parameters of values about as large as the source's."""
        return self.scaled(self.source.scale * self.draw.scale(low, high))

    def scaled(self, scale: float) -> QuantParams:
        """Mostly a zero point near the source's: elsewhere half of the values saturate."""
        near = self.source.zero_point + self.draw.integer(-20, 20)
        zero_point = self.draw.zero_point() if self.draw.chance(1 / 8) else near
        return QuantParams.per_tensor(scale, int(np.clip(zero_point, -128, 127)))

    def activation(self) -> Activation:
        """None half of the time, and none that leaves a handful of values."""
        drawn = self.draw.activation()
        high = drawn.bounds[1]
        return (
            Activation.NONE if self.draw.chance(1 / 2) or high < 30 * self.source.scale else drawn
        )

    @property
    def same_quant(self) -> QuantParams:
        assert self.source.quant is not None
        return self.source.quant


Drawer = Callable[[Place], Layer | None]


def _unary(**fields: object) -> dict[str, object]:
    """Arguments of an operator that reads the source only."""
    return {"name": OUTPUT, "inputs": (SOURCE,), "outputs": (OUTPUT,), **fields}


# --------------------------------------------------------------------------- weights


def _conv_2d(place: Place) -> Layer | None:
    draw, shape = place.draw, place.source.shape
    if not place.is_image:
        return None
    size = draw.one_of((1, 1), (3, 3), (1, draw.integer(1, 5)), draw.shape(2, 4))
    dilated = draw.chance(1 / 6)
    op = Conv2D(
        **names(bias=draw.chance(3 / 4)),
        name=OUTPUT,
        stride=(1, 1) if dilated or draw.chance(2 / 3) else draw.shape(2, 3),
        dilation=draw.shape(2, 2) if dilated else (1, 1),
        padding=draw.padding(),
        activation=place.activation(),
    )
    filters = draw.one_of(shape[3], draw.integer(1, 12))
    return _weighted(place, op, (filters, *size, shape[3]), 0, size[0] * size[1] * shape[3])


def _depthwise_conv_2d(place: Place) -> Layer | None:
    draw, shape = place.draw, place.source.shape
    if not place.is_image:
        return None
    multiplier = draw.one_of(1, 1, 1, draw.integer(2, 4))
    size = draw.one_of((3, 3), draw.shape(2, 4))
    dilated = draw.chance(1 / 6)
    op = DepthwiseConv2D(
        **names(bias=draw.chance(3 / 4)),
        name=OUTPUT,
        stride=(1, 1) if dilated or draw.chance(2 / 3) else draw.shape(2, 2),
        dilation=draw.shape(2, 2) if dilated else (1, 1),
        padding=draw.padding(),
        multiplier=multiplier,
        activation=place.activation(),
    )
    return _weighted(place, op, (1, *size, shape[3] * multiplier), 3, size[0] * size[1])


def _fully_connected(place: Place) -> Layer | None:
    draw, shape = place.draw, place.source.shape
    keep = len(shape) > 1 and draw.chance(1 / 3)
    op = FullyConnected(
        **names(bias=draw.chance(3 / 4)),
        name=OUTPUT,
        keep_num_dims=keep,
        activation=place.activation(),
    )
    depth = shape[-1] if keep or draw.chance(1 / 2) else place.source.size
    return _weighted(place, op, (draw.integer(1, 24), depth), 0, depth)


def _weighted(place: Place, op: Operator, weights: Shape, axis: int, taps: int) -> Layer:
    """Take weights and bias of a conformance case, brought to the source's own scale."""
    graph = weighted_graph(
        place.draw,
        op,
        place.source.shape,
        weights,
        channel_axis=axis,
        per_channel=weights[axis] > 1 and place.draw.chance(2 / 3),
        taps=taps,
        numbers=replace(DRAWN, source_zero_point=place.source.zero_point),
    )
    ratio = place.source.scale / graph.tensor(SOURCE).scale
    constants = [graph.tensor(name) for name in op.inputs[1:]]
    constants[1:] = [replace(bias, quant=_times(bias.quant, ratio)) for bias in constants[1:]]
    quant = _times(graph.tensor(OUTPUT).quant, ratio)
    return Layer(op=op, quant=quant, constants=tuple(constants))


def _times(quant: QuantParams | None, ratio: float) -> QuantParams:
    assert quant is not None
    return replace(quant, scale=tuple(scale * ratio for scale in quant.scale))


# --------------------------------------------------------------------------- windows


def _pool(operator: type[Pool2D]) -> Drawer:
    def layer(place: Place) -> Layer | None:
        if not place.is_image:
            return None
        draw = place.draw
        fields = {"padding": draw.padding(), "activation": place.activation()}
        op = operator(**_unary(size=draw.shape(2, 3), stride=draw.shape(2, 3), **fields))
        return Layer(op=op, quant=place.same_quant)

    return layer


def _mean(place: Place) -> Layer:
    draw, rank = place.draw, len(place.source.shape)
    drawn = [axis for axis in range(rank) if draw.chance(1 / 2)] or [rank - 1]
    axes = (1, 2) if rank == 4 and draw.chance(2 / 3) else tuple(drawn)
    op = Mean(**_unary(axes=axes, keep_dims=draw.chance(1 / 2)))
    return Layer(op=op, quant=place.rescaled(0.1, 1.0))


# --------------------------------------------------------------------------- elementwise


def _partner(place: Place) -> tuple[str, Tensor, tuple[Tensor, ...]]:
    """Another tensor of the source's shape, one that broadcasts to it, or a constant."""
    draw, shape = place.draw, place.source.shape
    alike = [tensor for tensor in place.others if tensor.shape == shape]
    if alike and draw.chance(5 / 6):
        chosen = draw.one_of(*alike)
        return chosen.name, chosen, ()
    reduced = tuple(1 if draw.chance(1 / 2) else size for size in shape)
    shape = draw.one_of(shape, reduced, shape[-1:], (1,) * len(shape))
    constant = int8_tensor("constant", shape, place.rescaled(), draw.int8(shape))
    return constant.name, constant, (constant,)


def _arithmetic(
    operator: type[ArithmeticOperator], scale: Callable[[float, float], float]
) -> Drawer:
    """``scale`` gives the output's natural scale from those of the inputs."""

    def layer(place: Place) -> Layer:
        draw = place.draw
        name, other, constants = _partner(place)
        inputs = (SOURCE, name) if draw.chance(3 / 4) else (name, SOURCE)
        fields = {"inputs": inputs, "activation": place.activation()}
        natural = scale(place.source.scale, other.scale)
        return Layer(
            op=operator(**{**_unary(), **fields}),
            quant=place.scaled(natural * draw.scale(0.3, 1.5)),
            constants=constants,
        )

    return layer


QuantOfTwo = Callable[[Place, Tensor], QuantParams]


def _sum_scale(first: float, second: float) -> float:
    return first + second


def _product_scale(first: float, second: float) -> float:
    return first * second * TYPICAL_INT8


def _relu(place: Place) -> Layer:
    kind = place.draw.activation()
    while kind.value == 0:
        kind = place.draw.activation()
    return Layer(op=Relu(**_unary(activation=kind)), quant=place.rescaled())


def _quantize(place: Place) -> Layer:
    return Layer(op=Quantize(**_unary()), quant=place.rescaled())


def _softmax(place: Place) -> Layer | None:
    if place.source.shape[-1] >= WIDE_ROW:
        return None  # the oracle's arithmetic is undefined there (docs/numerics.md)
    beta = place.draw.one_of(1.0, float(np.float32(place.draw.scale(0.2, 5.0))))
    return Layer(op=Softmax(**_unary(beta=beta)), quant=OUTPUT_QUANT)


def _function(
    operator: type[UnaryOperator], quant: Callable[[Place], QuantParams] = Place.rescaled
) -> Drawer:
    return lambda place: Layer(op=operator(**_unary()), quant=quant(place))


def _fixed(quant: QuantParams) -> Callable[[Place], QuantParams]:
    return lambda _: quant


def _exp(place: Place) -> Layer | None:
    """The reference overflows where results do not fit 32 bits; ours saturates."""
    largest = (127 - place.source.zero_point) * place.source.scale
    if largest > 10:
        return None
    return Layer(op=Exp(**_unary()), quant=place.scaled(float(np.exp(largest)) / 200))


def _gelu(place: Place) -> Layer:
    op = Gelu(**_unary(approximate=place.draw.chance(1 / 2)))
    return Layer(op=op, quant=place.rescaled())


def _leaky_relu(place: Place) -> Layer:
    alpha = float(np.float32(place.draw.scale(0.01, 1.0)))
    return Layer(op=LeakyRelu(**_unary(alpha=alpha)), quant=place.rescaled())


def _prelu(place: Place) -> Layer:
    """One slope for every channel, or for all of them."""
    shape = place.draw.one_of(place.source.shape[-1:], (1,))
    slopes = int8_tensor("slopes", shape, place.draw.quant(0.001, 0.01), place.draw.int8(shape))
    op = Prelu(**{**_unary(), "inputs": (SOURCE, slopes.name)})
    return Layer(op=op, quant=place.rescaled(), constants=(slopes,))


def _combination(operator: type[ElementwiseOperator], quant: QuantOfTwo) -> Drawer:
    """Two tensors, without activation."""

    def layer(place: Place) -> Layer:
        name, other, constants = _partner(place)
        op = operator(**{**_unary(), "inputs": (SOURCE, name)})
        return Layer(op=op, quant=quant(place, other), constants=constants)

    return layer


def _squared(place: Place, other: Tensor) -> QuantParams:
    return place.scaled(max(place.source.scale, other.scale) ** 2 * TYPICAL_INT8)


def _alike(operator: type[ElementwiseOperator]) -> Drawer:
    """An operator of tensors with one and the same parameters."""

    def layer(place: Place) -> Layer:
        shape = place.source.shape
        alike = [
            tensor
            for tensor in place.others
            if (tensor.shape, tensor.quant) == (shape, place.same_quant)
        ]
        last = shape[-1:]
        constant = int8_tensor("constant", last, place.same_quant, place.draw.int8(last))
        chosen = place.draw.one_of(*alike, constant)
        op = operator(**{**_unary(), "inputs": (SOURCE, chosen.name)})
        return Layer(
            op=op, quant=place.same_quant, constants=(constant,) if chosen is constant else ()
        )

    return layer


def _extremum(operator: type[ReductionOperator]) -> Drawer:
    def layer(place: Place) -> Layer:
        draw, rank = place.draw, len(place.source.shape)
        axes = tuple(axis for axis in range(rank) if draw.chance(1 / 2)) or (rank - 1,)
        op = operator(**_unary(axes=axes, keep_dims=draw.chance(1 / 2)))
        return Layer(op=op, quant=place.same_quant)

    return layer


# --------------------------------------------------------------------------- data movement


def _moved(op: Operator, place: Place, *constants: Tensor) -> Layer:
    return Layer(op=op, quant=place.same_quant, constants=constants)


def _transpose(place: Place) -> Layer:
    rank = len(place.source.shape)
    order = tuple(int(axis) for axis in place.draw.rng.permutation(rank))
    return _moved(Transpose(**_unary(permutation=order)), place)


def _slice(place: Place) -> Layer:
    draw, shape = place.draw, place.source.shape
    begin = tuple(draw.integer(0, (size - 1) // 2) for size in shape)
    left = zip(shape, begin, strict=True)
    size = tuple(draw.integer((have - first + 1) // 2, have - first) for have, first in left)
    return _moved(Slice(**_unary(begin=begin, size=size)), place)


def _strided_slice(place: Place) -> Layer:
    draw, shape = place.draw, place.source.shape
    fields = {
        "begin": tuple(draw.integer(0, (size - 1) // 2) for size in shape),
        "end": shape,
        "strides": tuple(draw.one_of(1, 1, 2) for _ in shape),
    }
    return _moved(StridedSlice(**_unary(**fields)), place)


def _split(place: Place) -> Layer:
    """Into two or three parts along a dimension that divides."""
    draw, shape = place.draw, place.source.shape
    axis, count = draw.integer(0, len(shape) - 1), draw.integer(2, 3)
    outputs = (OUTPUT, *(f"{OUTPUT}_{number}" for number in range(1, count)))
    return _moved(Split(**{**_unary(axis=axis), "outputs": outputs}), place)


def _mirror_pad(place: Place) -> Layer:
    draw, shape = place.draw, place.source.shape
    pairs = tuple((draw.integer(0, 1), draw.integer(0, 1)) for _ in shape)
    mode = draw.one_of("REFLECT", "SYMMETRIC")
    return _moved(MirrorPad(**_unary(paddings=pairs, mode=MirrorMode[mode])), place)


def _tile(place: Place) -> Layer:
    multiples = tuple(place.draw.one_of(1, 1, 2) for _ in place.source.shape)
    return _moved(Tile(**_unary(multiples=multiples)), place)


def _blocks(operator: type[BlockOperator]) -> Drawer:
    return lambda place: _moved(operator(**_unary(block_size=2)), place)


def _resize(operator: type[ResizeOperator]) -> Drawer:
    def layer(place: Place) -> Layer:
        draw = place.draw
        corners, centers = draw.one_of((False, False), (True, False), (False, True))
        fields = {"align_corners": corners, "half_pixel_centers": centers}
        return _moved(operator(**_unary(size=draw.shape(2, 12), **fields)), place)

    return layer


def _pad(place: Place) -> Layer:
    draw, rank = place.draw, len(place.source.shape)
    pairs = [(draw.integer(0, 2), draw.integer(0, 2)) for _ in range(rank)]
    if rank > 1:
        pairs[0] = (0, 0)
    return Layer(op=Pad(**_unary(paddings=tuple(pairs))), quant=place.same_quant)


def _concatenation(place: Place) -> Layer | None:
    """Join with tensors that have the same parameters already, or with itself, or a constant."""
    draw, source = place.draw, place.source
    axis = draw.integer(min(1, len(source.shape) - 1), len(source.shape) - 1)

    def fits(tensor: Tensor) -> bool:
        return tensor.quant == source.quant and _without(tensor, axis) == _without(source, axis)

    fitting = [tensor for tensor in place.others if fits(tensor)]
    grown = (*source.shape[:axis], draw.integer(1, 3), *source.shape[axis + 1 :])
    constant = int8_tensor("constant", grown, place.same_quant, draw.int8(grown))
    if not fitting and draw.chance(3 / 4):
        return None
    constants = () if fitting and draw.chance(4 / 5) else (constant,)
    chosen = [draw.one_of(*fitting).name for _ in range(draw.integer(1, 3)) if fitting]
    parts = [SOURCE, *chosen, *(tensor.name for tensor in constants)]
    inputs = tuple(parts[i] for i in draw.rng.permutation(len(parts)))
    op = Concatenation(**{**_unary(axis=axis), "inputs": inputs})
    return Layer(op=op, quant=place.same_quant, constants=constants)


def _without(tensor: Tensor, axis: int) -> tuple[int, Shape, Shape]:
    return len(tensor.shape), tensor.shape[:axis], tensor.shape[axis + 1 :]


def _reshape(place: Place) -> Layer:
    """To one row, to an image of other proportions, or with dimensions of 1 put in."""
    draw, shape, size = place.draw, place.source.shape, place.source.size
    divisors = [divisor for divisor in range(1, size + 1) if size % divisor == 0]
    height, width = draw.one_of(*divisors), 1
    width = draw.one_of(*(divisor for divisor in divisors if size // height % divisor == 0))
    image = (1, height, width, size // height // width)
    wanted = draw.one_of((1, size), image, image, (1, *shape)[:5], (size // shape[-1], shape[-1]))
    if len(wanted) == 5:
        wanted = image
    return Layer(op=Reshape(**_unary(shape=wanted)), quant=place.same_quant)


LAYERS: dict[str, Drawer] = {
    "add": _arithmetic(Add, _sum_scale),
    "average_pool_2d": _pool(AveragePool2D),
    "concatenation": _concatenation,
    "conv_2d": _conv_2d,
    "depthwise_conv_2d": _depthwise_conv_2d,
    "fully_connected": _fully_connected,
    "max_pool_2d": _pool(MaxPool2D),
    "mean": _mean,
    "mul": _arithmetic(Mul, _product_scale),
    "pad": _pad,
    "quantize": _quantize,
    "relu": _relu,
    "reshape": _reshape,
    "softmax": _softmax,
    "sub": _arithmetic(Sub, _sum_scale),
    "abs": _function(Abs),
    "depth_to_space": _blocks(DepthToSpace),
    "exp": _exp,
    "gelu": _gelu,
    "hard_swish": _function(HardSwish),
    "leaky_relu": _leaky_relu,
    "logistic": _function(Logistic, _fixed(QuantParams.per_tensor(1 / 256, -128))),
    "maximum": _alike(Maximum),
    "minimum": _alike(Minimum),
    "mirror_pad": _mirror_pad,
    "prelu": _prelu,
    "reduce_max": _extremum(ReduceMax),
    "reduce_min": _extremum(ReduceMin),
    "resize_bilinear": _resize(ResizeBilinear),
    "resize_nearest_neighbor": _resize(ResizeNearestNeighbor),
    "slice": _slice,
    "space_to_depth": _blocks(SpaceToDepth),
    "split": _split,
    "squared_difference": _combination(SquaredDifference, _squared),
    "strided_slice": _strided_slice,
    "tanh": _function(Tanh, _fixed(QuantParams.per_tensor(1 / 128, 0))),
    "tile": _tile,
    "transpose": _transpose,
}

# What networks are mostly made of comes more often.
OFTEN = {"conv_2d": 10, "depthwise_conv_2d": 8, "fully_connected": 6, "add": 6, "concatenation": 3}
CHOICES = [drawer for name, drawer in LAYERS.items() for _ in range(OFTEN.get(name, 1))]
