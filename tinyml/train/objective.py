"""What quantization-aware training makes small.

TensorFlow is imported inside functions.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyml.data.dataset import Dataset
from tinyml.data.metrics import Metric
from tinyml.errors import InputError
from tinyml.ir.graph import Array, Graph
from tinyml.ops.logistic import Logistic
from tinyml.ops.softmax import Softmax

# Variances below this are those of outputs that never change.
SMALLEST_VARIANCE = 1e-12


class Objective(abc.ABC):
    """A loss of the tensors ``wanted``, and the target of each sample."""

    name: str
    wanted: tuple[str, ...]

    @abc.abstractmethod
    def targets(self, chosen: Array) -> list[Array]:
        """What the samples of these indices are to give."""

    @abc.abstractmethod
    def loss(self, values: Sequence[Any], targets: Sequence[Any]) -> Any:
        """Mean over a batch, float32 ()."""


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """Cross-entropy of classes, or of one score that is to be more than 0.5 or not."""

    wanted: tuple[str, ...]
    labels: Array
    is_binary: bool
    are_logits: bool

    name = "cross-entropy"

    def targets(self, chosen: Array) -> list[Array]:
        """The labels."""
        return [self.labels[chosen]]

    def loss(self, values: Sequence[Any], targets: Sequence[Any]) -> Any:
        """Take the numbers before SOFTMAX or LOGISTIC, which are no probabilities yet."""
        import keras

        scores = keras.ops.reshape(values[0], (-1, math.prod(values[0].shape[1:])))
        if self.is_binary:
            losses = keras.losses.binary_crossentropy(
                targets[0][:, None], scores, from_logits=self.are_logits
            )
        else:
            losses = keras.losses.sparse_categorical_crossentropy(
                targets[0], scores, from_logits=self.are_logits
            )
        return keras.ops.mean(losses)


@dataclass(frozen=True)
class Imitation(Objective):
    """Mean squared error against the float model's own outputs, in units of their variance."""

    wanted: tuple[str, ...]
    outputs: tuple[Array, ...]

    name = "error against the float model"

    def targets(self, chosen: Array) -> list[Array]:
        """The float model's outputs."""
        return [values[chosen] for values in self.outputs]

    def loss(self, values: Sequence[Any], targets: Sequence[Any]) -> Any:
        """Mean over the outputs."""
        import keras

        errors = [
            keras.ops.mean(keras.ops.square(value - target)) / self._variance(output)
            for value, target, output in zip(values, targets, self.outputs, strict=True)
        ]
        return sum(errors) / len(errors)

    @staticmethod
    def _variance(output: Array) -> float:
        variance = float(np.var(output.astype(np.float64), axis=0).mean())
        return variance if variance > SMALLEST_VARIANCE else 1.0


def cross_entropy(graph: Graph, data: Dataset) -> CrossEntropy | None:
    """The cross-entropy of ``data``'s labels; None where these judge no classes.

    Raises InputError where a label is no class of the model's.
    """
    if data.labels is None or data.metric != Metric.ACCURACY.value or len(graph.outputs) != 1:
        return None
    output = graph.tensor(graph.outputs[0])
    classes = max(output.size, 2)
    low, high = int(data.labels.min()), int(data.labels.max())
    if low < 0 or high >= classes:
        raise InputError(
            f"labels reach from {low} to {high}, expected classes from 0 to {classes - 1} for "
            f"output '{output.name}' {output.shape}; number the classes from 0"
        )
    op = graph.producers.get(output.name)
    is_binary = output.size == 1
    last = Logistic if is_binary else Softmax
    are_logits = isinstance(op, last) or not is_binary
    wanted = op.inputs[:1] if op is not None and isinstance(op, last) else (output.name,)
    return CrossEntropy(wanted, data.labels.astype(np.int64), is_binary, are_logits)


def before_softmax(graph: Graph) -> tuple[str, ...]:
    """The outputs, or what a SOFTMAX makes them of: small probabilities show little of it."""
    producers = [(name, graph.producers.get(name)) for name in graph.outputs]
    return tuple(op.inputs[0] if isinstance(op, Softmax) else name for name, op in producers)
