"""Float32 against the int8 reference against the device, sample by sample."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.data.dataset import (
    Dataset,
    check_dataset,
    float_samples,
    inputs_of,
    plain_name,
    quantize_samples,
    real_samples,
)
from tinyml.data.metrics import Metric, agreement, score
from tinyml.data.ranges import range_warnings
from tinyml.device.run import DeviceRun, run_codes
from tinyml.errors import InputError
from tinyml.evaluate.oracle import Oracles, run_float, run_oracles
from tinyml.firmware.boards import Board, Console
from tinyml.firmware.build import BuildResult, build_firmware
from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.pipeline import generate_plan, plan_model
from tinyml.quantize.check_ids import check_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What ``tinyml compare`` reports; the field names are the keys of its JSON.

    Accuracies and agreements are fractions of the samples, None without labels or without a float
    model; where ``metric`` is not "accuracy", it is what the accuracies are. Instructions are per
    inference, None on the host. ``reference_errors`` names the operators for which no runtime is
    installed that gives the right bytes, with the steps that their reference may be off by: where
    it is not empty, ``passed`` does not ask for equal bytes. ``flash_bytes`` and ``ram_bytes`` are
    what the model adds to the same firmware without a model, the stack apart. ``warnings`` are
    sentences about data that do not look like those the model was made for.
    """

    model: str
    board: str
    reference: str
    reference_errors: dict[str, int]
    samples: int
    metric: str
    float_accuracy: float | None
    reference_accuracy: float | None
    device_accuracy: float | None
    float_agreement: float | None
    accuracy_drop: float | None
    max_accuracy_drop: float | None
    mismatched_bytes: int
    compared_bytes: int
    max_difference: int
    instructions_per_inference: int | None
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    stack_bytes: int | None
    cmsis_nn: str
    compiler: str
    passed: bool
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def compare_model(
    graph: Graph,
    data: Dataset,
    board: Board,
    oracle: str | None = None,
    *,
    float_graph: Graph | None = None,
    max_accuracy_drop: float | None = None,
    kernels: str = "auto",
    goal: str = "speed",
    console: Console = "semihosting",
    jobs: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Build ``graph`` for ``board``, run every sample three ways, and compare.

    ``data`` holds the samples in the order of the graph's inputs, as ``check_samples`` takes them.
    ``max_accuracy_drop`` is in percentage points of the float model's accuracy, and needs labels
    and ``float_graph``. It passes where no byte differs and the drop is not exceeded. ``oracle`` is
    the package whose reference kernels are asked for, else each operator's first choice among those
    installed. ``kernels`` and ``goal`` say what the plan chooses from and for, as in
    ``plan_model``.

    Raises InputError where labels are missing or name no class of the model, the data's metric is
    unknown or does not suit the model, or the float model has other inputs or outputs;
    ToolchainError where an oracle is not installed.
    """
    data = check_dataset(data, inputs_of(graph))
    plan = plan_model(graph, board, kernels=kernels, goal=goal)
    prepared = plan.graph
    oracles = Oracles(prepared, oracle)
    oracles.require_installed()
    metric = _metric(data, graph)
    _check_labels(data, graph, metric, needed=max_accuracy_drop is not None)
    real = _real_samples(graph, prepared, data, float_graph) if float_graph else []
    samples = quantize_samples(data.samples, [prepared.tensor(n) for n in prepared.inputs])
    check_ids(prepared, samples)
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        build = build_firmware(generate_plan(plan), board, Path(folder), console=console)
        device = run_codes(prepared, build, samples, jobs=jobs, on_progress=on_progress)
    oracles, expected = run_oracles(oracles, samples)
    floats = run_float(float_graph, real) if float_graph else None
    return _sum_up(
        prepared, data, metric, device, expected, floats, build, oracles, max_accuracy_drop
    )


def _metric(data: Dataset, graph: Graph) -> Metric:
    """Return the metric the data names; it must suit the model."""
    names = [metric.value for metric in Metric]
    if data.metric not in names:
        raise InputError(
            f"the data's 'metric' is '{data.metric}', expected {' or '.join(names)}; "
            "save it under one of these names"
        )
    metric = Metric(data.metric)
    source, result = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    if metric is Metric.RECONSTRUCTION_AUC and source.size != result.size:
        raise InputError(
            f"the data's 'metric' is '{metric.value}', but output '{result.name}' {result.shape} "
            f"has another size than input '{source.name}' {source.shape}; give an autoencoder"
        )
    return metric


def _check_labels(data: Dataset, graph: Graph, metric: Metric, *, needed: bool) -> None:
    if data.labels is None:
        if needed:
            raise InputError(
                "a limit on the accuracy drop needs labels: add them to the data as 'y'"
            )
        return
    name = graph.outputs[0]
    # One score tells two classes apart, and so does the error of a reconstruction.
    classes = max(2, graph.tensor(name).size) if metric is Metric.ACCURACY else 2
    wrong = np.flatnonzero((data.labels < 0) | (data.labels >= classes))
    if wrong.size:
        raise InputError(
            f"label {data.labels[wrong[0]]} of sample {wrong[0]} is no class of output '{name}', "
            f"expected 0 to {classes - 1}; number the classes as the model was trained"
        )
    if metric is Metric.RECONSTRUCTION_AUC and len(np.unique(data.labels)) < classes:
        raise InputError(
            f"all labels are {data.labels[0]}, but a ROC AUC compares samples of label 1, "
            "an anomaly, with samples of label 0; give both"
        )


def _real_samples(graph: Graph, prepared: Graph, data: Dataset, float_graph: Graph) -> list[Array]:
    """Float32 samples for the inputs of the float model: by name or, where those differ, place."""
    real = real_samples(data.samples, [prepared.tensor(name) for name in prepared.inputs])
    by_name = dict(zip(map(plain_name, graph.inputs), real, strict=True))
    names = [plain_name(name) for name in float_graph.inputs]
    ordered = [by_name[name] for name in names] if by_name.keys() == set(names) else real
    inputs = [float_graph.tensor(name) for name in float_graph.inputs]
    _check_alike(graph, float_graph, ordered, inputs)
    return float_samples(ordered, inputs)


def _check_alike(
    graph: Graph, float_graph: Graph, samples: Sequence[Array], inputs: Sequence[Tensor]
) -> None:
    """The float model must take these samples and give as many scores."""
    given = [math.prod(array.shape[1:]) for array in samples]
    outputs = [g.tensor(g.outputs[0]) for g in (graph, float_graph)]
    if given == [tensor.size for tensor in inputs] and outputs[0].size == outputs[1].size:
        return
    shapes = ", ".join(f"'{t.name}' {t.shape}" for t in (*inputs, outputs[1]))
    expected = ", ".join(f"'{t.name}' {t.shape}" for t in map(graph.tensor, _edges(graph)))
    raise InputError(
        f"the float model '{float_graph.name}' has inputs and output {shapes}, but "
        f"'{graph.name}' has {expected}: give the model it was made from (--reference)"
    )


def _edges(graph: Graph) -> tuple[str, ...]:
    return (*graph.inputs, graph.outputs[0])


def _sum_up(
    graph: Graph,
    data: Dataset,
    metric: Metric,
    device: DeviceRun,
    expected: Sequence[Array],
    floats: Sequence[Array] | None,
    build: BuildResult,
    oracles: Oracles,
    max_accuracy_drop: float | None,
) -> Comparison:
    real = [
        _dequantized(graph.tensor(graph.outputs[0]), out[0]) for out in (device.outputs, expected)
    ]
    (inputs,) = real_samples(data.samples[:1], [graph.tensor(graph.inputs[0])])
    float_accuracy, device_accuracy, reference_accuracy = (
        _score(metric, inputs, outputs, data.labels)
        for outputs in (floats[0] if floats else None, *real)
    )
    drop = _drop(float_accuracy, device_accuracy)
    mismatched = _mismatched_bytes(device.outputs, expected)
    within = max_accuracy_drop is None or (drop is not None and drop <= max_accuracy_drop)
    return Comparison(
        model=graph.name,
        board=build.board.name,
        reference=oracles.label,
        reference_errors=dict(oracles.errors),
        samples=len(data),
        metric=metric.value,
        float_accuracy=float_accuracy,
        reference_accuracy=reference_accuracy,
        device_accuracy=device_accuracy,
        float_agreement=(
            agreement(real[0], floats[0]) if floats and metric is Metric.ACCURACY else None
        ),
        accuracy_drop=drop,
        max_accuracy_drop=max_accuracy_drop,
        mismatched_bytes=mismatched,
        compared_bytes=sum(array.nbytes for array in expected),
        max_difference=_max_difference(device.outputs, expected),
        instructions_per_inference=device.result.instructions_per_inference,
        flash_bytes=build.flash_bytes,
        ram_bytes=build.ram_bytes,
        arena_bytes=build.arena_bytes,
        stack_bytes=device.result.stack_bytes,
        cmsis_nn=build.cmsis_nn_version,
        compiler=build.compiler_version,
        passed=within and (mismatched == 0 or bool(oracles.errors)),
        warnings=range_warnings(data.samples, [graph.tensor(name) for name in graph.inputs]),
    )


def _dequantized(tensor: Tensor, values: Array) -> Array:
    return values if tensor.quant is None else dequantize(values, tensor.quant)


def _score(
    metric: Metric, inputs: Array, outputs: Array | None, labels: Array | None
) -> float | None:
    if outputs is None or labels is None:
        return None
    return score(metric, inputs, outputs, labels)


def _drop(float_accuracy: float | None, device_accuracy: float | None) -> float | None:
    """Percentage points lost, rounded so that 0.5 of a point is 0.5."""
    if float_accuracy is None or device_accuracy is None:
        return None
    return round(100 * (float_accuracy - device_accuracy), 9)


def _mismatched_bytes(device: Sequence[Array], expected: Sequence[Array]) -> int:
    pairs = zip(device, expected, strict=True)
    return sum(int((a.view(np.uint8) != b.view(np.uint8)).sum()) for a, b in pairs)


def _max_difference(device: Sequence[Array], expected: Sequence[Array]) -> int:
    pairs = zip(device, expected, strict=True)
    return max(int(np.abs(a.astype(np.int64) - b.astype(np.int64)).max()) for a, b in pairs)
