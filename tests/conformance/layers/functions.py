"""Functions of one tensor, element by element."""

from dataclasses import replace

import numpy as np
from single_operator import INT8_DEVIATION, limits_of

from layers.place import Drawer, Layer, Place, one, unary
from tinyml.ir.graph import DType
from tinyml.ops.cast import ON_DEVICE, Cast
from tinyml.ops.contract.activation import Activation
from tinyml.ops.exp import Exp
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.gelu import Gelu
from tinyml.ops.leaky_relu import LeakyRelu
from tinyml.ops.quantize import Quantize
from tinyml.ops.relu import Relu
from tinyml.ops.square import Square


def function(operator: type[UnaryOperator]) -> Drawer:
    """Of any values; int8 where TFLite has a kernel for that, else between floats."""
    return lambda place: one(_made(operator, place), place.rescaled())


def root(operator: type[UnaryOperator], power: float) -> Drawer:
    """That power of values that are never negative, scaled to reach from end to end."""

    def layer(place: Place) -> Layer | None:
        if place.source.zero_point != -128:
            return None
        largest = (place.source.scale * 255) ** power if power > 0 else place.source.scale**power
        op = _made(operator, place)
        if power < 0:  # what QUANTIZE makes of 1 / 0 is undefined
            op = replace(op, in_float=False)
        return one(op, place.scaled(largest / 200 * place.draw.scale(0.5, 2)))

    return layer


def _made(operator: type[UnaryOperator], place: Place) -> UnaryOperator:
    is_int8 = place.source.dtype is DType.INT8
    in_float = is_int8 and (operator.int8_version is None or place.draw.chance(1 / 4))
    return operator(**unary(in_float=in_float))


def int8_only(operator: type[UnaryOperator]) -> Drawer:
    """What float makes of some value cannot be quantized."""
    return lambda place: one(operator(**unary()), place.rescaled())


def square(place: Place) -> Layer:
    scale = place.source.scale**2 * INT8_DEVIATION
    return one(Square(**unary(in_float=True)), place.scaled(scale * place.draw.scale(0.5, 2)))


def exp(place: Place) -> Layer | None:
    """The reference overflows where results do not fit 32 bits; ours saturates."""
    _, highest = limits_of(place.source.dtype)
    largest = (highest - place.source.zero_point) * place.source.scale
    if largest > 10:
        return None
    return one(_made(Exp, place), place.scaled(float(np.exp(largest)) / 200 / place.steps))


def gelu(place: Place) -> Layer:
    return one(Gelu(**unary(approximate=place.draw.chance(1 / 2))), place.rescaled())


def leaky_relu(place: Place) -> Layer:
    alpha = float(np.float32(place.draw.scale(0.01, 1.0)))
    return one(LeakyRelu(**unary(alpha=alpha)), place.rescaled())


def relu(place: Place) -> Layer | None:
    kind = place.draw.activation()
    is_wide = place.source.dtype is DType.INT16
    if kind is Activation.NONE or (is_wide and kind is Activation.RELU_N1_TO_1):
        return None  # the reference's RELU_N1_TO_1 has no int16
    return one(Relu(**unary(activation=kind)), place.rescaled())


def quantize(place: Place) -> Layer:
    """To the other scale, and half of the time to the other width."""
    source, draw = place.source, place.draw
    widths = {DType.INT8: DType.INT16, DType.INT16: DType.INT8}
    dtype = draw.one_of(source.dtype, widths[source.dtype])
    steps = {(DType.INT8, DType.INT16): 1 / 256, (DType.INT16, DType.INT8): 256}
    scale = source.scale * steps.get((source.dtype, dtype), 1) * draw.scale(0.6, 2.0)
    return one(Quantize(**unary(dtype=dtype)), place.scaled(scale))


def cast(place: Place) -> Layer:
    """To any type; scales do not count, and the results of integers get one about their size."""
    quant = place.draw.quant(0.005, 0.5)
    return one(Cast(**unary(dtype=place.draw.one_of(*ON_DEVICE))), quant)
