"""Scales that follow training or are trained: one of tensors that share it, some of weights.

TensorFlow is imported at once: import this module inside functions only.
"""

from __future__ import annotations

import enum
import re
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tinyml.ir.graph import DType, QuantParams, Tensor
from tinyml.numerics.affine import LIMITS, SMALLEST_SCALE, dequantize, quantize
from tinyml.quantize.activations import Group
from tinyml.quantize.parameters import symmetric_params
from tinyml.train.fake_quantization import fake_quantize
from tinyml.train.numbers import in_numpy

# How much faster a threshold's logarithm moves than a weight: thresholds want a rate of 0.01 where
# weights want 0.0001 to 0.001 (arXiv 1903.08066, section 5.2).
THRESHOLD_RATE = 10.0
# Of the moving averages of activations' ranges, a batch at a time (arXiv 1806.08342, section 3.2).
MOMENTUM = 0.99


class Ranges(enum.Enum):
    """How scales are found in training, by the names the command line gives them."""

    MOVING_AVERAGE = "moving-average"  # arXiv 1806.08342, section 3.2
    LEARNED = "learned"  # trained quantization thresholds, arXiv 1903.08066


def plain(name: str) -> str:
    """A tensor's name as TensorFlow takes it for a variable's."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


class ActivationScale:
    """Scale and zero point of tensors that share them."""

    def __init__(self, layer: Any, group: Group) -> None:
        table, params, graph = layer.prepared.table, group.params, layer.prepared.graph
        self.group, self._dtype = group, layer.prepared.dtypes[group.names[0]]
        self.limits = LIMITS[self._dtype]
        # Nothing is learned of what an operator fixes, nor of constants.
        self.is_given = group.is_fixed or all(graph.tensor(n).is_constant for n in group.names)
        self._is_learned = layer.ranges is Ranges.LEARNED and not self.is_given
        name = plain(group.names[0])

        def variable(suffix: str, value: float, *, trainable: bool = False) -> Any:
            return layer.add_weight(
                name=f"{name}_{suffix}",
                shape=(),
                initializer=keras.initializers.Constant(value),
                trainable=trainable,
            )

        first = params.scale[0]
        self.zero_point = variable("zero_point", params.zero_point[0])
        self._scale = variable("scale", first)
        if self._is_learned:
            self._log = variable("threshold", np.log2(first) / THRESHOLD_RATE, trainable=True)
        ranges = [table.ranges[name] for name in group.names if name in table.ranges]
        self._low = variable("low", min((low for low, _ in ranges), default=0.0))
        self._high = variable("high", max((high for _, high in ranges), default=0.0))

    def scale(self) -> Any:
        """One scale, float32."""
        return tf.pow(2.0, self._log * THRESHOLD_RATE) if self._is_learned else self._scale.value

    def follow(self, values: list[Any]) -> None:
        """Move the range towards that of a batch."""
        if not values:
            return
        low = tf.reduce_min([tf.reduce_min(value) for value in values])
        high = tf.reduce_max([tf.reduce_max(value) for value in values])
        self._low.assign(MOMENTUM * self._low + (1 - MOMENTUM) * low)
        self._high.assign(MOMENTUM * self._high + (1 - MOMENTUM) * high)
        scale, zero_point = _range_params(self._low, self._high, self._dtype)
        self._scale.assign(scale)
        self.zero_point.assign(zero_point)

    def now(self) -> Group:
        """The group with the parameters of now."""
        if self.is_given:
            return self.group
        params = QuantParams.per_tensor(float(self.scale()), int(self.zero_point.value))
        return replace(self.group, params=params)


class WeightScale:
    """Scales of weights, symmetric, per channel or per tensor, whose integers begin as these."""

    def __init__(self, layer: Any, integers: Tensor, largest: int) -> None:
        if integers.quant is None:
            raise ValueError(f"weights '{integers.name}' are not quantized")
        self._axis, self._largest = integers.quant.quantized_dimension, largest
        shape = [1] * len(integers.shape)
        if self._axis is not None:
            shape[self._axis] = -1
        first = np.array(integers.quant.scale, np.float32).reshape(shape)
        self._reduced = [axis for axis in range(len(shape)) if axis != self._axis]
        self._log = None
        if layer.ranges is Ranges.LEARNED:
            self._log = layer.add_weight(
                name=plain(f"{integers.name}_threshold"),
                shape=first.shape,
                initializer=lambda *_, **__: tf.constant(np.log2(first) / THRESHOLD_RATE),
            )

    def value(self, weights: Any) -> Any:
        """The scales, float32, in a shape that broadcasts to the weights."""
        if self._log is not None:
            return tf.pow(2.0, self._log * THRESHOLD_RATE)
        largest = tf.reduce_max(tf.abs(weights), axis=self._reduced, keepdims=True)
        scale = tf.stop_gradient(largest) / self._largest
        # That of zeros is the others', as in post-training quantization.
        widest = tf.reduce_max(scale)
        others = tf.where(widest < SMALLEST_SCALE, 1.0, widest)
        return tf.where(scale < SMALLEST_SCALE, others, scale)

    def apply(self, weights: Any) -> Any:
        """Real numbers behind the integers of the weights."""
        return fake_quantize(weights, self.value(weights), 0.0, (-self._largest, self._largest))

    def on_grid(self, tensor: Tensor, weights: Any) -> Tensor:
        """The weights as real numbers that are integers times their scales, with those."""
        scales = in_numpy(self.value(weights)).reshape(-1)
        quant = symmetric_params(scales, self._axis)
        integers = quantize(in_numpy(weights), quant, DType.INT16)
        clipped = np.clip(integers, -self._largest, self._largest)
        return replace(tensor, data=dequantize(clipped, quant), quant=quant)


def _range_params(low: Any, high: Any, dtype: DType) -> tuple[Any, Any]:
    """Scale and zero point of a range, as in post-training quantization; of nothing [0, 1]'s."""
    first, last = LIMITS[dtype]
    low, high = tf.minimum(low, 0.0), tf.maximum(high, 0.0)
    high = tf.where(high - low < SMALLEST_SCALE * last, 1.0, high)
    if dtype is DType.INT16:  # symmetric
        scale = tf.maximum(-low, high) / last
        return scale, tf.zeros_like(scale)
    scale = (high - low) / (last - first)
    return scale, tf.clip_by_value(tf.round(first - low / scale), first, last)
