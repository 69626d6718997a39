"""Layers that take many values to fewer: windows, reductions, and normalizations over a row."""

import numpy as np

from layers.place import Drawer, Layer, Place, one, unary
from tinyml.ir.graph import DType
from tinyml.ops.arg_extremum import ArgExtremum
from tinyml.ops.families.pool import Pool2D
from tinyml.ops.families.reduction import ReductionOperator
from tinyml.ops.l2_normalization import L2Normalization
from tinyml.ops.mean import Mean
from tinyml.ops.softmax import WIDE_ROW, Softmax
from tinyml.ops.sum import Sum

# The reference has no more for normalizations.
MOST_DIMENSIONS = 4


def pool(operator: type[Pool2D]) -> Drawer:
    def layer(place: Place) -> Layer | None:
        if not place.is_image:
            return None
        draw = place.draw
        fields = {"padding": draw.padding(), "activation": place.activation()}
        return one(operator(**unary(size=draw.shape(2, 3), stride=draw.shape(2, 3), **fields)))

    return layer


def mean(place: Place) -> Layer:
    draw = place.draw
    axes = (1, 2) if place.is_image and draw.chance(2 / 3) else _axes(place)
    op = Mean(**unary(axes=axes, keep_dims=draw.chance(1 / 2)))
    return one(op, place.rescaled(0.1, 1.0))


def sums(place: Place) -> Layer:
    axes = _axes(place)
    op = Sum(**unary(axes=axes, keep_dims=place.draw.chance(1 / 2)))
    count = np.prod([place.shape[axis] for axis in axes])
    return one(op, place.scaled(place.source.scale * float(count**0.5) * place.draw.scale(0.5, 2)))


def extremum(operator: type[ReductionOperator]) -> Drawer:
    def layer(place: Place) -> Layer:
        return one(operator(**unary(axes=_axes(place), keep_dims=place.draw.chance(1 / 2))))

    return layer


def _axes(place: Place) -> tuple[int, ...]:
    rank = len(place.shape)
    return tuple(axis for axis in range(rank) if place.draw.chance(1 / 2)) or (rank - 1,)


def arg_extremum(place: Place) -> Layer:
    draw = place.draw
    fields = {"largest": draw.chance(1 / 2), "axis": draw.integer(0, len(place.shape) - 1)}
    return one(ArgExtremum(**unary(dtype=draw.one_of(DType.INT32, DType.INT64), **fields)))


def softmax(place: Place) -> Layer | None:
    if place.shape[-1] >= WIDE_ROW:
        return None  # the oracle's arithmetic is undefined there (docs/numerics.md)
    if len(place.shape) > MOST_DIMENSIONS:
        return None
    beta = place.draw.one_of(1.0, float(np.float32(place.draw.scale(0.2, 5.0))))
    return one(Softmax(**unary(beta=beta)))


def l2_normalization(place: Place) -> Layer | None:
    if len(place.shape) > MOST_DIMENSIONS:
        return None
    return one(L2Normalization(**unary()))
