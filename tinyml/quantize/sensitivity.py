"""Where accuracy goes: what quantizing each layer costs, by itself and among all the others.

Layers are imitated (``simulate``), so that one can be of integers while the others compute in
float, or the other way round, as no runtime could run them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from tinyml.data.dataset import Dataset, drawn_samples
from tinyml.data.judging import check_labels, metric_of
from tinyml.data.metrics import Metric, decibels, power, score_verdicts, verdicts
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics import arrays
from tinyml.ops.contract.operator import Operator, operators
from tinyml.quantize.prepare import Prepared
from tinyml.quantize.rounding import ActivationRounding, WeightRounding
from tinyml.quantize.simulate import Simulation, keeps_codes, real_parameters, run_graph
from tinyml.quantize.standardized import standardize

# More say little more of a layer, and every layer runs them twice.
MOST_SAMPLES = 200
# Of what is kept of one batch: every activation, in float and quantized.
BATCH_BYTES = 64 * 2**20
# The row of what the graph is given.
INPUT = "(input)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSensitivity:
    """What quantizing one layer costs; the field names are keys of the report's JSON.

    ``weights_db`` and ``activations_db``: signal to error of its own rounding, None where it has
    none. ``clipped``: share of its outputs' values beyond their range, and ``clipping_error`` the
    share of the error that these make; ``is_fixed``: an operator's definition gives the range.
    ``channel_ratio``: largest range of a channel's weights over the median channel's;
    ``is_one_scale``: all channels share it. ``peak_ratio``: largest value of the outputs over their
    root mean square. ``alone_db`` and ``alone_score``: the model's output where this layer alone is
    quantized; ``without_db`` and ``without_score``: where all others are. Scores are None without
    labels.
    """

    name: str
    operator: str
    weight_bits: int | None
    weights_db: float | None
    channel_ratio: float | None
    is_one_scale: bool
    activations_db: float | None
    clipped: float | None
    clipping_error: float | None
    peak_ratio: float | None
    is_fixed: bool
    alone_db: float
    alone_score: float | None
    without_db: float
    without_score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The layers, those that cost most by themselves first, and what all of them cost together."""

    samples: int
    metric: str
    float_score: float | None
    quantized_score: float | None
    quantized_db: float
    layers: tuple[LayerSensitivity, ...]


def measure_sensitivity(
    prepared: Prepared,
    data: Dataset,
    on_progress: Callable[[int], None] | None = None,
    *,
    floats: Graph | None = None,
    most_samples: int = MOST_SAMPLES,
    seed: int = 0,
) -> Sensitivity:
    """Run each layer alone in integers, and each alone in float, on samples of ``data``.

    ``data`` holds what the float graph takes; at most ``most_samples`` of it are drawn by ``seed``.
    ``floats`` is the graph that all is compared with, where weights of the prepared graph make up
    for rounding: the same but for constants. ``on_progress`` is called with the number of samples
    done. Raises InputError where labels name
    no class of the model.
    """
    graph = prepared.graph
    metric = metric_of(data, graph)
    check_labels(data, graph, metric, needed=False)
    data = drawn_samples(data, most_samples, seed)
    study = _Study(prepared, floats or graph, metric, data.labels)
    size = _batch_size(graph)
    for start in range(0, len(data), size):
        study.add([array[start : start + size] for array in data.samples])
        if on_progress:
            on_progress(min(start + size, len(data)))
    return study.result(len(data))


def prepared_samples(prepared: Prepared, samples: Sequence[Array]) -> dict[str, Array]:
    """Samples of the float graph as its prepared graph takes them, (N, *shape without the 1).

    Of an input without a batch of 1 there is to be one sample, which keeps the input's shape.
    """
    changes = {each.result: each for each in prepared.standardized}
    inputs: dict[str, Array] = {}
    for name, array in zip(prepared.graph.inputs, samples, strict=True):
        tensor = prepared.graph.tensor(name)
        shape = (-1, *tensor.shape[1:]) if tensor.shape[:1] == (1,) else tensor.shape
        values = array.reshape(shape).astype(tensor.dtype.numpy)
        inputs[name] = standardize(changes[name], values) if name in changes else values
    return inputs


def _batch_size(graph: Graph) -> int:
    """Samples that are run at a time: one where a tensor's first dimension is not theirs."""
    made = [t for t in graph.tensors.values() if _is_made(graph, t.name)]
    if any(tensor.shape[:1] != (1,) for tensor in made):
        return 1
    bytes_of_sample = 2 * DType.FLOAT32.numpy.itemsize * sum(tensor.size for tensor in made)
    return max(1, BATCH_BYTES // bytes_of_sample)


@dataclass(slots=True)
class _Outcome:
    """The model's outputs under some choice of layers, summed up over batches."""

    signal: float = 0.0
    error: float = 0.0
    verdicts: list[Array] = field(default_factory=list)

    @property
    def db(self) -> float:
        return decibels(self.signal, self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layers(Simulation):
    """Layers that are not quantized have the constants of a graph of their own."""

    constants: Mapping[tuple[str, int], Array]

    def constant(self, op: Operator, index: int, tensor: Tensor) -> Any:
        """Zeros stand for a bias that makes up for rounding and was not there before."""
        if op.name in self.layers:
            return super(_Layers, self).constant(op, index, tensor)
        return self.constants.get((op.name, index), np.zeros_like(tensor.constant))


class _Study:
    """What is known of every layer after the batches so far."""

    def __init__(
        self, prepared: Prepared, floats: Graph, metric: Metric, labels: Array | None
    ) -> None:
        self._prepared, self._metric, self._labels = prepared, metric, labels
        self._graph = prepared.graph
        self._parameters = real_parameters(prepared)
        self._constants = _constants(floats)
        self._fixed = {name for group in prepared.groups if group.is_fixed for name in group.names}
        self._all = frozenset(op.name for op in self._graph.ops)
        self._layers = [op for op in operators(self._graph) if self._rounds(op)]
        names = [INPUT, *(op.name for op in self._layers)]
        self._alone = {name: _Outcome() for name in names}
        self._without = {name: _Outcome() for name in names}
        self._float, self._quantized = _Outcome(), _Outcome()
        self._rounding = {name: ActivationRounding() for name in names}

    def _rounds(self, op: Operator) -> bool:
        """Whether the operator brings in an error of its own."""
        return not keeps_codes(op) and any(name in self._prepared.params for name in op.outputs)

    def add(self, samples: Sequence[Array]) -> None:
        """Run one batch every way."""
        graph, everything = self._graph, self._all
        inputs = prepared_samples(self._prepared, samples)
        kept = [t.name for t in graph.tensors.values() if _is_made(graph, t.name)]
        floats = self._run(graph, inputs, (), kept)
        imitated = self._run(graph, inputs, everything, kept, with_inputs=True)
        truth = _Truth(graph, floats, samples[0], self._metric)
        truth.judge(floats, self._float)
        truth.judge(imitated, self._quantized)
        outputs = graph.outputs
        truth.judge(self._run(graph, inputs, (), outputs, with_inputs=True), self._alone[INPUT])
        truth.judge(self._run(graph, inputs, everything, outputs), self._without[INPUT])
        for name in graph.inputs:
            self._add_rounding(INPUT, name, floats)
        for part, op in self._parts():
            alone = self._run(part, floats, {op.name}, outputs)
            truth.judge(alone, self._alone[op.name])
            without = self._run(part, imitated, everything - {op.name}, outputs)
            truth.judge(without, self._without[op.name])
            for name in op.outputs:
                self._add_rounding(op.name, name, floats)

    def _parts(self) -> Iterator[tuple[Graph, Operator]]:
        """The graph from each layer on, whose inputs are what came before."""
        graph, layers = self._graph, {op.name for op in self._layers}
        for place, op in enumerate(operators(graph)):
            if op.name in layers:
                made = {*graph.inputs, *(n for before in graph.ops[:place] for n in before.outputs)}
                read = {n for later in graph.ops[place:] for n in later.present_inputs}
                live = made & (read | set(graph.outputs))
                yield replace(graph, ops=graph.ops[place:], inputs=tuple(sorted(live))), op

    def _run(
        self,
        graph: Graph,
        values: Mapping[str, Any],
        layers: Collection[str],
        wanted: Collection[str],
        *,
        with_inputs: bool = False,
    ) -> dict[str, Any]:
        hooks = _Layers(
            prepared=self._prepared,
            parameters=self._parameters,
            layers=layers,
            inputs=with_inputs,
            constants=self._constants,
        )
        return run_graph(graph, arrays, {n: values[n] for n in graph.inputs}, hooks, wanted)

    def _add_rounding(self, layer: str, name: str, floats: Mapping[str, Array]) -> None:
        params = self._prepared.params.get(name)
        if params is not None:
            self._rounding[layer].add(floats[name], params, self._prepared.dtypes[name])

    # ----------------------------------------------------------------- results

    def result(self, samples: int) -> Sensitivity:
        """Sum up."""
        rows = [self._row(INPUT, None), *(self._row(op.name, op) for op in self._layers)]
        return Sensitivity(
            samples=samples,
            metric=self._metric.value,
            float_score=self._score(self._float),
            quantized_score=self._score(self._quantized),
            quantized_db=self._quantized.db,
            layers=tuple(sorted(rows, key=lambda row: row.alone_db)),
        )

    def _row(self, name: str, op: Operator | None) -> LayerSensitivity:
        rounding, alone, without = self._rounding[name], self._alone[name], self._without[name]
        weights = WeightRounding(self._prepared, self._constants, self._parameters, op)
        return LayerSensitivity(
            name=name,
            operator="" if op is None else op.kind,
            weight_bits=weights.bits,
            weights_db=weights.db,
            channel_ratio=weights.channel_ratio,
            is_one_scale=weights.is_one_scale,
            activations_db=rounding.db,
            clipped=rounding.clipped_share,
            clipping_error=rounding.clipping_share,
            peak_ratio=rounding.peak_ratio,
            is_fixed=op is not None and bool(self._fixed & set(op.outputs)),
            alone_db=alone.db,
            alone_score=self._score(alone),
            without_db=without.db,
            without_score=self._score(without),
        )

    def _score(self, outcome: _Outcome) -> float | None:
        if self._labels is None:
            return None
        return score_verdicts(self._metric, np.concatenate(outcome.verdicts), self._labels)


@dataclass(frozen=True)
class _Truth:
    """The float outputs of one batch, beside which others are judged."""

    graph: Graph
    floats: Mapping[str, Array]
    inputs: Array
    metric: Metric

    @cached_property
    def signal(self) -> float:
        return sum(power(self.floats[name]) for name in self.graph.outputs)

    def judge(self, values: Mapping[str, Array], outcome: _Outcome) -> None:
        """Add what ``values`` differ by, and what the metric says of them."""
        outputs = self.graph.outputs
        outcome.signal += self.signal
        outcome.error += sum(power(values[n] - self.floats[n].astype(np.float64)) for n in outputs)
        first = values[outputs[0]].reshape(len(self.inputs), -1)
        outcome.verdicts.append(verdicts(self.metric, self.inputs, first))


def _constants(graph: Graph) -> dict[tuple[str, int], Array]:
    """Every constant by the operator that reads it, and the place among its inputs."""
    places = ((op, n, name) for op in graph.ops for n, name in enumerate(op.inputs) if name)
    found = ((op.name, n, graph.tensor(name)) for op, n, name in places)
    return {(op, n): tensor.constant for op, n, tensor in found if tensor.is_constant}


def _is_made(graph: Graph, name: str) -> bool:
    return name in graph.inputs or name in graph.producers
