"""A prepared float graph as a Keras layer that trains its weights with the integers in sight.

Keras is imported at once: import this module inside functions only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import keras
import tensorflow as tf

from tinyml.ir.graph import DType, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.operator import Operator, operators
from tinyml.quantize.prepare import Prepared
from tinyml.quantize.simulate import FloatHooks, keeps_codes, run_graph
from tinyml.quantize.standardized import standardize
from tinyml.quantize.weights import quantize_parameters
from tinyml.train.fake_quantization import fake_quantize, straight_through
from tinyml.train.numbers import in_numpy
from tinyml.train.scales import ActivationScale, Ranges, WeightScale, plain

LIBRARY = cast("ArrayLibrary", keras.ops)


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
        self._groups = [ActivationScale(self, group) for group in prepared.groups]
        self._group_of = {name: group for group in self._groups for name in group.group.names}
        self._weights = {name: self._variable(tensor) for name, tensor in self._trained().items()}
        self._scales = self._weight_scales()
        self._seen: dict[int, list[Any]] = {}

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

    def _weight_scales(self) -> dict[tuple[str, int], WeightScale]:
        """By operator and place; operators that share weights share their scales."""
        graph, params, scheme = self.prepared.graph, self.prepared.params, self.prepared.scheme
        shared: dict[tuple[str, int | None, int], WeightScale] = {}
        scales = {}
        for op in operators(graph):
            integers = quantize_parameters(graph, op, params, scheme)
            largest = scheme.weight_max(op)
            for index, axis in self._rules[op.name].weights.items():
                key = (op.inputs[index], axis, largest)
                if key not in shared:
                    shared[key] = WeightScale(self, integers[index], largest)
                scales[op.name, index] = shared[key]
        return scales

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
        self, inputs: Sequence[Any], wanted: Iterable[str], *, training: bool
    ) -> dict[str, Any]:
        """Values of the tensors ``wanted``."""
        self._seen = {}
        values = run_graph(self.prepared.graph, LIBRARY, self._feeds(inputs), self, wanted)
        if training and not self.is_frozen:
            for group in self._groups:
                group.follow(self._seen.get(id(group), []))
        return values

    def float_tensors(self, inputs: Sequence[Any], wanted: Iterable[str]) -> dict[str, Any]:
        """The same of the float graph, before any training and without imitation of integers."""
        return run_graph(self.prepared.graph, LIBRARY, self._feeds(inputs), FloatHooks(), wanted)

    def _feeds(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """What the graph reads, which starts behind inputs that it standardizes."""
        graph = self.prepared.graph
        before = {each.result: each for each in self.prepared.standardized}
        feeds = {}
        for name, value in zip(graph.inputs, inputs, strict=True):
            tensor = graph.tensor(name)
            value = tf.reshape(value, (-1, *tensor.shape[1:]))
            if name in before:
                value = standardize(before[name], tf.cast(value, tf.float32))
            feeds[name] = tf.cast(value, tensor.dtype.value)
        return feeds

    def constant(self, op: Operator, index: int, tensor: Tensor) -> Any:
        """Weights and biases as trained, what is left as it is, each behind its integers."""
        rule = self._rules[op.name]
        if index in rule.weights:
            return self._scales[op.name, index].apply(self._weights[tensor.name].value)
        if index == rule.bias:
            return self._rounded_bias(op, self._weights[tensor.name].value)
        group = self._group_of.get(tensor.name)
        return tensor.data if group is None else self._rounded(tensor.data, group)

    def activation(self, op: Operator | None, name: str, value: Any) -> Any:
        """Round what an operator makes, unless it moves integers that are there."""
        group = self._group_of.get(name)
        if group is None or (op is not None and keeps_codes(op)):
            return value
        if not group.is_given and not self.is_frozen:
            self._seen.setdefault(id(group), []).append(value)
        return self._rounded(value, group, op)

    def _rounded(self, value: Any, group: ActivationScale, op: Operator | None = None) -> Any:
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
        data = {name: in_numpy(variable) for name, variable in self._weights.items()}
        tensors = {name: replace(graph.tensor(name), data=data[name], quant=None) for name in data}
        inputs = {op.name: op.inputs for op in graph.ops}
        for (name, index), scale in self._scales.items():
            tensor = graph.tensor(inputs[name][index])
            tensors[tensor.name] = scale.on_grid(tensor, self._weights[tensor.name])
        groups = tuple(each.now() for each in self._groups)
        return replace(self.prepared, graph=graph.with_tensors(*tensors.values()), groups=groups)
