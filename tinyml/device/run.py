"""A quantized graph's samples through a board, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.data.dataset import check_samples, inputs_of, quantize_samples
from tinyml.device.qemu import RunResult, run_firmware
from tinyml.errors import InputError
from tinyml.firmware.build import BuildResult
from tinyml.ir.graph import Array, Graph
from tinyml.passes.orders import prepare_for_device


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """Raw outputs, one array (N, *shape) per model output, and what the emulator counted."""

    outputs: list[Array]
    result: RunResult


def run_on_device(
    graph: Graph,
    build: BuildResult,
    samples: Array | Sequence[Array],
    *,
    jobs: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> DeviceRun:
    """Run samples through the firmware that was built of the quantized ``graph``.

    ``samples`` is what ``check_samples`` takes. Integers of an input's own dtype are taken raw;
    other numbers are quantized. Raises InputError where a shape is wrong, and DeviceError where
    the firmware or the emulator fails.
    """
    graph = prepare_for_device(graph)
    inputs = inputs_of(graph)
    _check_made_of(build, graph)
    codes = quantize_samples(check_samples(samples, inputs), inputs)
    return run_codes(graph, build, codes, jobs=jobs, on_progress=on_progress)


def run_codes(
    graph: Graph,
    build: BuildResult,
    codes: Sequence[Array],
    *,
    jobs: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> DeviceRun:
    """Run what ``quantize_samples`` gave for a prepared ``graph``, of which ``build`` was made."""
    count = len(codes[0])
    raw = [np.ascontiguousarray(array).reshape(count, -1).view(np.uint8) for array in codes]
    result = run_firmware(build, np.concatenate(raw, axis=1), jobs=jobs, on_progress=on_progress)
    outputs, start = [], 0
    for name in graph.outputs:
        tensor = graph.tensor(name)
        column = np.ascontiguousarray(result.outputs[:, start : start + tensor.nbytes])
        outputs.append(column.view(tensor.dtype.numpy).reshape(count, *tensor.shape))
        start += tensor.nbytes
    return DeviceRun(outputs, result)


def _check_made_of(build: BuildResult, graph: Graph) -> None:
    """Raise InputError where the firmware has other inputs or outputs than the graph."""
    edges = (*graph.inputs, *graph.outputs)
    sizes = [graph.tensor(name).nbytes for name in edges]
    built = [slot.size for slot in (*build.inputs, *build.outputs)]
    if sizes != built:
        raise InputError(
            f"the firmware '{build.name}' has inputs and outputs of {built} bytes, but graph "
            f"'{graph.name}' has {sizes}: run the graph that it was built of"
        )
