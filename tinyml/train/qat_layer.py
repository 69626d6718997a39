"""A prepared float graph as a Keras layer that trains its weights with the integers in sight.

Keras is imported at once: import this module inside functions only.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from tinyml.ir.graph import DType, QuantParams, Tensor
from tinyml.numerics.affine import LIMITS, SMALLEST_SCALE, dequantize, quantize
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.operator import Operator, operators
from tinyml.quantize.activations import Group
from tinyml.quantize.parameters import symmetric_params
from tinyml.quantize.prepare import Prepared
from tinyml.quantize.simulate import keeps_codes, run_graph
from tinyml.quantize.weights import quantize_parameters
from tinyml.train.fake_quantization import fake_quantize, straight_through

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


class QatLayer(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Computes a prepared graph; float32 (N, *shape without the batch of 1) in and out.

    ``is_frozen`` keeps the ranges of activations as they are; it counts when a training step is
    traced, so compile a model again after changing it.
    """

    def __init__(self, prepared: Prepared, ranges: Ranges = Ranges.MOVING_AVERAGE) -> None:
        super().__init__(name="quantized")
        self.prepared = prepared
        self.ranges = ranges
        self.is_frozen = ranges is Ranges.LEARNED
        graph = prepared.graph
        self._rules = {op.name: op.quantization_rule(graph) for op in operators(graph)}
        self._groups = [_Activations(self, group) for group in prepared.groups]
        self._group_of = {name: group for group in self._groups for name in group.group.names}
        self._weights = {name: self._variable(tensor) for name, tensor in self._trained().items()}
        self._scales = {
            (op.name, index): _WeightScale(self, op, index, tensor)
            for op in operators(graph)
            for index, tensor in quantize_parameters(
                graph, op, prepared.params, prepared.scheme
            ).items()
            if index in self._rules[op.name].weights
        }
        self._seen: dict[int, list[Any]] = {}
        self._is_float = False

    def _trained(self) -> dict[str, Tensor]:
        """The weights and biases, each once."""
        graph = self.prepared.graph
        places = (
            (op, index)
            for op in operators(graph)
            for index in (*self._rules[op.name].weights, self._rules[op.name].bias)
        )
        names = (op.inputs[i] for op, i in places if i is not None and i < len(op.inputs))
        return {name: graph.tensor(name) for name in names if name}

    def _variable(self, tensor: Tensor) -> Any:
        return self.add_weight(
            name=plain(tensor.name),
            shape=tensor.shape,
            initializer=lambda *_, **__: tf.constant(tensor.constant),
        )

    # ------------------------------------------------------------------ computing

    def call(self, inputs: Any, *, training: bool = False) -> Any:
        """Outputs of the graph, one or a list, as real numbers behind the device's integers."""
        arrays = inputs if isinstance(inputs, list | tuple) else [inputs]
        outputs = self.prepared.graph.outputs
        values = self.tensors(arrays, outputs, training=training)
        results = [values[name] for name in outputs]
        return results[0] if len(results) == 1 else results

    def tensors(
        self, inputs: Sequence[Any], wanted: Iterable[str], *, training: bool, floats: bool = False
    ) -> dict[str, Any]:
        """Values of the tensors ``wanted``; ``floats``: without any imitation of integers."""
        self._is_float, self._seen = floats, {}
        feeds = self._feeds(inputs)
        library = cast("ArrayLibrary", keras.ops)
        values = run_graph(self.prepared.graph, library, feeds, self, wanted)
        if training and not self.is_frozen and not floats:
            for group in self._groups:
                group.follow(self._seen.get(id(group), []))
        return values

    def _feeds(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """What the graph reads, which starts behind inputs that it standardizes."""
        graph = self.prepared.graph
        before = {each.result: each for each in self.prepared.standardized}
        feeds = {}
        for name, value in zip(graph.inputs, inputs, strict=True):
            tensor = graph.tensor(name)
            value = tf.reshape(value, (-1, *tensor.shape[1:]))
            if name in before:
                offset, factor = (
                    np.asarray(array, np.float32)
                    for array in (before[name].offset, before[name].factor)
                )
                value = (tf.cast(value, tf.float32) - offset) * factor
            feeds[name] = tf.cast(value, tensor.dtype.value)
        return feeds

    def constant(self, op: Operator, index: int, tensor: Tensor) -> Any:
        """Weights and biases as trained, what is left as it is, each behind its integers."""
        rule = self._rules[op.name]
        if index in rule.weights:
            weights = self._weights[tensor.name].value
            return weights if self._is_float else self._scales[op.name, index].apply(weights)
        if index == rule.bias:
            bias = self._weights[tensor.name].value
            return bias if self._is_float else self._rounded_bias(op, bias)
        group = self._group_of.get(tensor.name)
        return tensor.data if group is None or self._is_float else self._rounded(tensor.data, group)

    def activation(self, op: Operator | None, name: str, value: Any) -> Any:
        """Round what an operator makes, unless it moves integers that are there."""
        group = self._group_of.get(name)
        if self._is_float or group is None or (op is not None and keeps_codes(op)):
            return value
        if not group.is_given and not self.is_frozen:
            self._seen.setdefault(id(group), []).append(value)
        return self._rounded(value, group, op)

    def _rounded(self, value: Any, group: _Activations, op: Operator | None = None) -> Any:
        scale, zero_point = group.scale(), group.zero_point.value
        if op is None:
            return fake_quantize(value, scale, zero_point, group.limits)
        middle = -zero_point if op.rounds_integers else tf.zeros_like(zero_point)
        unit = self._sum_scale(op)
        return fake_quantize(value, scale, zero_point, group.limits, unit, middle)

    def _sum_scale(self, op: Operator) -> Any:
        """What one step of the sums stands for that int8 kernels bring to the output's scale."""
        if self.prepared.scheme.activations_of(op) is DType.INT16:  # sums of 64 bits, rounded once
            return None
        scales = [self._scale_of(op, index, name) for index, name in enumerate(op.inputs)]
        return op.sum_scale(self.prepared.graph, *scales)

    def _scale_of(self, op: Operator, index: int, name: str) -> Any:
        """Scale of an input, float64: one, or one of each output channel."""
        if (op.name, index) in self._scales:
            scale = self._scales[op.name, index].value(self._weights[name].value)
            return tf.cast(tf.reshape(scale, [-1]), tf.float64)
        group = self._group_of.get(name)
        return None if group is None else tf.cast(group.scale(), tf.float64)

    def _rounded_bias(self, op: Operator, bias: Any) -> Any:
        """Give the bias in steps of input scale x weight scale."""
        (index, *_) = self._rules[op.name].weights
        scale = self._scales[op.name, index].value(self._weights[op.inputs[index]])
        steps = tf.stop_gradient(tf.reshape(scale, [-1]) * self._group_of[op.inputs[0]].scale())
        flat = tf.reshape(bias, [-1])
        return tf.reshape(straight_through(flat, tf.round(flat / steps) * steps), bias.shape)

    # ------------------------------------------------------------------ what was trained

    def trained(self) -> Prepared:
        """The graph with the weights of now, on their grids, and the scales of now."""
        graph = self.prepared.graph
        data = {name: np.array(variable) for name, variable in self._weights.items()}
        tensors = {name: replace(graph.tensor(name), data=data[name], quant=None) for name in data}
        for (name, index), scale in self._scales.items():
            op = next(op for op in graph.ops if op.name == name)
            tensor = graph.tensor(op.inputs[index])
            tensors[tensor.name] = scale.on_grid(tensor, self._weights[tensor.name])
        groups = tuple(each.now() for each in self._groups)
        return replace(self.prepared, graph=graph.with_tensors(*tensors.values()), groups=groups)


class _Activations:
    """Scale and zero point of tensors that share them."""

    def __init__(self, layer: QatLayer, group: Group) -> None:
        self.group, self._dtype = group, layer.prepared.dtypes[group.names[0]]
        self.limits = LIMITS[self._dtype]
        table, params = layer.prepared.table, group.params
        graph = layer.prepared.graph
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


class _WeightScale:
    """Scales of the weights that one operator reads: symmetric, per channel or per tensor."""

    def __init__(self, layer: QatLayer, op: Operator, index: int, integers: Tensor) -> None:
        if integers.quant is None:
            raise ValueError(f"weights '{integers.name}' are not quantized")
        self._axis, self._largest = (
            integers.quant.quantized_dimension,
            layer.prepared.scheme.weight_max(op),
        )
        shape = [1] * len(integers.shape)
        if self._axis is not None:
            shape[self._axis] = -1
        first = np.array(integers.quant.scale, np.float32).reshape(shape)
        self._reduced = [axis for axis in range(len(shape)) if axis != self._axis]
        self._log = None
        if layer.ranges is Ranges.LEARNED:
            self._log = layer.add_weight(
                name=plain(f"{op.name}_{index}_threshold"),
                shape=first.shape,
                initializer=lambda *_, **__: tf.constant(np.log2(first) / THRESHOLD_RATE),
            )

    def value(self, weights: Any) -> Any:
        """The scales, float32, in a shape that broadcasts to the weights."""
        if self._log is not None:
            return tf.pow(2.0, self._log * THRESHOLD_RATE)
        largest = tf.reduce_max(tf.abs(weights), axis=self._reduced, keepdims=True)
        scale = tf.stop_gradient(largest) / self._largest
        return tf.where(scale < SMALLEST_SCALE, tf.ones_like(scale), scale)

    def apply(self, weights: Any) -> Any:
        """Real numbers behind the integers of the weights."""
        return fake_quantize(weights, self.value(weights), 0.0, (-self._largest, self._largest))

    def on_grid(self, tensor: Tensor, weights: Any) -> Tensor:
        """The weights as real numbers that are integers times their scales, with those."""
        scales = np.array(self.value(weights), np.float32).reshape(-1)
        quant = symmetric_params(scales, self._axis)
        integers = quantize(np.array(weights), quant, DType.INT16)
        clipped = np.clip(integers, -self._largest, self._largest)
        return replace(tensor, data=dequantize(clipped, quant), quant=quant)


def _range_params(low: Any, high: Any, dtype: DType) -> tuple[Any, Any]:
    """Scale and zero point of a range, as ``tinyml.numerics.affine.range_params`` has them."""
    first, last = LIMITS[dtype]
    low, high, is_symmetric = tf.minimum(low, 0.0), tf.maximum(high, 0.0), dtype is DType.INT16
    span, steps = (tf.maximum(-low, high), last) if is_symmetric else (high - low, last - first)
    is_nothing = span < SMALLEST_SCALE * steps
    scale = tf.where(is_nothing, 1.0, span / steps)
    if is_symmetric:
        return scale, tf.zeros_like(scale)
    zero_point = tf.clip_by_value(tf.round(first - low / scale), first, last)
    return scale, tf.where(is_nothing, 0.0, zero_point)
