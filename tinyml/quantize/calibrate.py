"""Float graph and representative dataset to the range of every activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyml.errors import InputError
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, DType, Graph
from tinyml.quantize.observers import Observer, Range
from tinyml.runtime.tflite import float_runtime, iterate_tflite


@dataclass(frozen=True, slots=True)
class CalibrationTable:
    """Activation name to the range an observer settled on."""

    ranges: Mapping[str, Range]
    samples: int


def calibrate(
    graph: Graph,
    samples: Sequence[Array],
    make_observer: Callable[[], Observer],
    on_progress: Callable[[int], None] | None = None,
) -> CalibrationTable:
    """Run the float graph's own .tflite, every activation an output, over every sample.

    Asking the runtime to preserve all tensors instead is not safe: tflite-runtime 2.14 still adds
    in place, and the sum would stand where an input of the ADD was.

    ``samples`` holds one float32 array per input, (N, *input shape). ``on_progress`` is called
    with the number of samples done.
    """
    # A runtime has no values for what a graph keeps: these are seen where it is read and assigned.
    kept = graph.state_names
    names = [t.name for t in graph.tensors.values() if not t.is_constant and t.name not in kept]
    observers = {name: make_observer() for name in names if _is_float(graph, name)}
    observed = replace(graph, outputs=tuple(observers))
    rows = iterate_tflite(write_tflite(observed), samples, float_runtime(graph))
    for done, row in enumerate(rows, start=1):
        for name, values in zip(observers, row, strict=True):
            _observe(name, observers[name], values)
        if on_progress:
            on_progress(done)
    ranges = {name: observer.range for name, observer in observers.items()}
    return CalibrationTable(ranges, len(samples[0]))


def _is_float(graph: Graph, name: str) -> bool:
    return graph.tensor(name).dtype is DType.FLOAT32


def _observe(name: str, observer: Observer, values: Array) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            f"tensor '{name}' becomes infinite or NaN on the calibration data, expected finite "
            "values; check the data's scaling and the model's weights"
        )
    observer.observe(values)
