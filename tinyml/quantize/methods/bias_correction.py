"""Bias correction (Nagel et al., arXiv 1906.04721, section 4.2, the empirical one of appendix D).

Rounded weights shift what a layer computes on average, by as much for every sample. Calibration
data show that shift, channel by channel, and the bias takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml.ir.graph import Array, Graph
from tinyml.ops.contract.activation import Activation
from tinyml.passes.drop_unread import drop_unread
from tinyml.quantize.calibrate import iterate_activations
from tinyml.quantize.linear import Linear, bias_of, linear_layers, with_bias
from tinyml.quantize.method import Improved, Method, Task
from tinyml.quantize.weights import rounded_weights


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and standard deviation of each output channel, before the activation."""

    mean: Array
    deviation: Array


def correct_biases(graph: Graph, task: Task) -> Improved:
    """Take the mean error of rounded weights from every bias, from the first layer to the last.

    A layer is looked at after those before it have been corrected, so that it is corrected for what
    they leave, and for no more.
    """
    layers = list(linear_layers(graph))
    rounded = graph.with_tensors(*(rounded_weights(graph, op, task.scheme) for op in layers))
    chosen = [op for op in layers if task.allows(op.name)]
    changes: dict[str, str] = {}
    with task.progress("correcting biases", len(chosen)) as update:
        expected = _moments(graph, task.samples, chosen)
        for done, op in enumerate(chosen, start=1):
            (got,) = _moments(rounded, task.samples, [op])
            error = got.mean - expected[done - 1].mean
            bias = _bias(graph, op) - error
            graph, rounded = with_bias(graph, op, bias), with_bias(rounded, op, bias)
            changes[op.name] = _described(error, expected[done - 1].deviation)
            update(done)
    return Improved(graph, changes)


METHOD = Method(apply=correct_biases, rank=3)


def _described(error: Array, deviation: Array) -> str:
    worst = int(np.abs(error).argmax())
    return (
        f"mean error {error[worst]:+.2g} taken from channel {worst}, whose standard deviation is "
        f"{deviation[worst]:.2g}, and less from others"
    )


def _bias(graph: Graph, op: Linear) -> Array:
    bias = bias_of(graph, op)
    channels = graph.tensor(op.outputs[0]).shape[-1]
    return np.zeros(channels) if bias is None else bias.constant.reshape(-1).astype(np.float64)


def _moments(graph: Graph, samples: Sequence[Array], layers: Sequence[Linear]) -> list[Moments]:
    """Of each layer's sums, over all samples and places."""
    observed, names = _with_sums(graph, layers)
    seen = [_Sums() for _ in names]
    for row in iterate_activations(observed, samples, names):
        for each, values in zip(seen, row, strict=True):
            each.add(values)
    return [each.moments for each in seen]


def _with_sums(graph: Graph, layers: Sequence[Linear]) -> tuple[Graph, tuple[str, ...]]:
    """Add what each layer computes before its activation, and leave out what nothing reads."""
    plain: dict[str, Linear] = {
        op.name: replace(op, name=sums, outputs=(sums,), activation=Activation.NONE)
        for op in layers
        for sums in [f"{op.name}/sums"]
    }
    names = tuple(op.name for op in plain.values())
    sums = (replace(graph.tensor(op.outputs[0]), name=f"{op.name}/sums") for op in layers)
    ops = [each for op in graph.ops for each in (op, plain.get(op.name)) if each is not None]
    added = replace(graph.with_tensors(*sums), ops=tuple(ops), outputs=names)
    return drop_unread(added), names


class _Sums:
    """Running sums, from which the moments follow."""

    def __init__(self) -> None:
        self._count, self._total, self._squares = 0, np.zeros(1), np.zeros(1)

    def add(self, values: Array) -> None:
        rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
        self._count += len(rows)
        self._total = self._total + rows.sum(axis=0)
        self._squares = self._squares + (rows**2).sum(axis=0)

    @property
    def moments(self) -> Moments:
        mean = self._total / self._count
        variance = np.maximum(self._squares / self._count - mean**2, 0)
        return Moments(mean, np.sqrt(variance))
