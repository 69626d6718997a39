"""Float32 against the int8 reference against the device, sample by sample."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.data import Dataset, float_samples, quantize_samples
from tinyml.errors import InputError
from tinyml.evaluate.device import DeviceRun, run_on_device
from tinyml.evaluate.metrics import accuracy, agreement
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.firmware.boards import Board
from tinyml.firmware.build import BuildResult
from tinyml.firmware.model import build_model
from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.passes.pipeline import prepare_for_device
from tinyml.runtime.tflite import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What ``tinyml compare`` reports; the field names are the keys of its JSON.

    Accuracies and agreements are fractions of the samples, None without labels or without a float
    model. Instructions are per inference, None on the host. ``flash_bytes`` and ``ram_bytes`` are
    what the model adds to the same firmware without a model, the stack apart.
    """

    model: str
    board: str
    reference: str
    samples: int
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

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def compare_model(
    graph: Graph,
    data: Dataset,
    board: Board,
    oracle: Runtime,
    *,
    float_graph: Graph | None = None,
    max_accuracy_drop: float | None = None,
    jobs: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Build ``graph`` for ``board``, run every sample three ways, and compare.

    ``max_accuracy_drop`` is in percentage points of the float model's accuracy, and needs labels
    and ``float_graph``. It passes where no byte differs and the drop is not exceeded.
    """
    if max_accuracy_drop is not None and (data.labels is None or float_graph is None):
        raise InputError(
            "a limit on the accuracy drop needs labels 'y' in the data and a float model "
            "(--reference)"
        )
    prepared = prepare_for_device(graph)
    samples = quantize_samples(data.samples, [prepared.tensor(n) for n in prepared.inputs])
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        build = build_model(prepared, board, Path(folder))
        device = run_on_device(prepared, build, samples, jobs=jobs, on_progress=on_progress)
    expected = run_reference(prepared, samples, oracle)
    floats = _run_float_graph(float_graph, data) if float_graph else None
    return _sum_up(prepared, data, device, expected, floats, build, oracle, max_accuracy_drop)


def _run_float_graph(graph: Graph, data: Dataset) -> list[Array]:
    return run_float(graph, float_samples(data.samples, [graph.tensor(n) for n in graph.inputs]))


def _sum_up(
    graph: Graph,
    data: Dataset,
    device: DeviceRun,
    expected: Sequence[Array],
    floats: Sequence[Array] | None,
    build: BuildResult,
    oracle: Runtime,
    max_accuracy_drop: float | None,
) -> Comparison:
    real = [
        _dequantized(graph.tensor(graph.outputs[0]), out[0]) for out in (device.outputs, expected)
    ]
    float_accuracy = _accuracy(floats[0] if floats else None, data.labels)
    device_accuracy, reference_accuracy = (_accuracy(scores, data.labels) for scores in real)
    drop = _drop(float_accuracy, device_accuracy)
    mismatched = _mismatched_bytes(device.outputs, expected)
    within = max_accuracy_drop is None or (drop is not None and drop <= max_accuracy_drop)
    return Comparison(
        model=graph.name,
        board=build.board.name,
        reference=oracle.label,
        samples=len(data),
        float_accuracy=float_accuracy,
        reference_accuracy=reference_accuracy,
        device_accuracy=device_accuracy,
        float_agreement=agreement(real[0], floats[0]) if floats else None,
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
        passed=mismatched == 0 and within,
    )


def _dequantized(tensor: Tensor, values: Array) -> Array:
    return values if tensor.quant is None else dequantize(values, tensor.quant)


def _accuracy(scores: Array | None, labels: Array | None) -> float | None:
    return None if scores is None or labels is None else accuracy(scores, labels)


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
