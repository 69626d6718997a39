"""Float graph and representative dataset to the range of every activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinyml.data.dataset import check_samples, float_samples, inputs_of
from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, DType, Graph, is_quantized
from tinyml.ops.families.unary import UnaryOperator
from tinyml.passes.fuse_functions import fuse_functions
from tinyml.passes.take_cast_inputs import take_cast_inputs
from tinyml.quantize.check_ids import check_ids
from tinyml.quantize.check_samples import calibration_warnings, outlier_warnings
from tinyml.quantize.observers import MinMax, Observer, Range
from tinyml.runtime.tflite import iterate_float

LARGEST_FLOAT = float(np.finfo(np.float32).max)
INFINITE = (
    "tensor '{name}' becomes infinite or NaN on the calibration data, expected finite values; "
    "check the data's scaling and the model's weights"
)


@dataclass(frozen=True, slots=True)
class CalibrationTable:
    """Activation name to the range an observer settled on.

    ``infinite`` names those that were infinite or NaN somewhere, which no range covers;
    ``fractions`` those that were seen with numbers that are not whole, and the first such number;
    ``warnings`` are sentences about data that look wrong.
    """

    ranges: Mapping[str, Range]
    samples: int
    infinite: frozenset[str] = frozenset()
    fractions: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def calibrate(
    graph: Graph,
    samples: Array | Sequence[Array],
    make_observer: Callable[[], Observer] = MinMax,
    on_progress: Callable[[int], None] | None = None,
    observers: Mapping[str, Callable[[], Observer]] | None = None,
) -> CalibrationTable:
    """Run the float graph over every sample, and let an observer see every activation.

    ``samples`` is what ``check_samples`` takes: an array (N, *sample shape) per input, or the only
    one. ``on_progress`` is called with the number of samples done. ``observers`` make those of some
    tensors, by name, in place of ``make_observer``. Raises InputError where their
    shape is wrong, all samples are zeros, ids name no rows, or the model makes infinities;
    ModelError where it is quantized already.
    """
    if is_quantized(graph):
        raise ModelError(
            f"graph '{graph.name}' is quantized already, expected a float model; calibrate the one "
            "it was made from"
        )
    graph, samples, warnings = calibration_samples(graph, samples)
    others = observers or {}
    seen = {n: _Seen(others.get(n, make_observer)()) for n in calibrated_names(graph)}
    tolerated = _tolerated(graph)
    for done, row in enumerate(iterate_activations(graph, samples, tuple(seen)), start=1):
        for name, values in zip(seen, row, strict=True):
            seen[name].observe(values)
            if seen[name].is_infinite and name not in tolerated:
                raise InputError(INFINITE.format(name=name))
        if on_progress:
            on_progress(done)
    ranges = {name: each.range for name, each in seen.items() if each.is_observed}
    warnings += outlier_warnings({name: each.largest for name, each in seen.items()}, ranges)
    return CalibrationTable(
        ranges,
        len(samples[0]),
        frozenset(name for name, each in seen.items() if each.is_infinite),
        {name: each.fraction for name, each in seen.items() if each.fraction is not None},
        warnings,
    )


def calibration_samples(
    graph: Graph, samples: Array | Sequence[Array]
) -> tuple[Graph, list[Array], tuple[str, ...]]:
    """Give the graph that will be quantized, samples in its inputs' dtypes, and what looks wrong.

    Raises InputError where samples cannot be meant, as ``calibrate`` says.
    """
    inputs = inputs_of(graph)
    checked = float_samples(check_samples(samples, inputs), inputs)
    warnings = calibration_warnings(graph, checked)
    check_ids(graph, checked)
    return *_with_cast_inputs(graph, checked), warnings


def iterate_activations(
    graph: Graph, samples: Sequence[Array], names: tuple[str, ...]
) -> Iterator[list[Array]]:
    """Yield the values of these activations for one sample after another, from ``float_runtime``.

    They become outputs of the graph's own .tflite. Asking the runtime to preserve all tensors
    instead is not safe: tflite-runtime 2.14 still adds in place, and the sum would stand where an
    input of the ADD was.
    """
    yield from iterate_float(graph, write_tflite(replace(graph, outputs=names)), samples)


def _with_cast_inputs(graph: Graph, samples: Sequence[Array]) -> tuple[Graph, list[Array]]:
    """Give the graph that will be quantized, and the samples in the dtypes of its inputs."""
    changed = take_cast_inputs(graph)
    dtypes = (changed.tensor(name).dtype.numpy for name in changed.inputs)
    pairs = zip(samples, dtypes, strict=True)
    return changed, [array.astype(dtype, copy=False) for array, dtype in pairs]


class _Seen(Observer):
    """Shows an observer the finite values, and keeps in mind what others there were.

    TFLite's sums and products clamp infinity to the largest float.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.is_observed = self.is_infinite = False
        self.fraction: float | None = None
        self.largest: list[float] = []  # magnitude of each sample

    def observe(self, values: Array) -> None:
        finite = values[np.abs(values) < LARGEST_FLOAT]
        self.is_infinite |= finite.size < values.size
        if not finite.size:
            return
        self.is_observed = True
        self.largest.append(max(float(finite.max()), -float(finite.min())))
        self._observer.observe(finite)
        if self.fraction is None and (finite != np.trunc(finite)).any():
            self.fraction = float(finite[finite != np.trunc(finite)][0])

    @property
    def range(self) -> Range:
        return self._observer.range


def _tolerated(graph: Graph) -> set[str]:
    """What may be infinite for some samples.

    Inside of a function nobody sees it; where the function itself has no value, as a LOG of 0, an
    end of the range that the others take stands for it, as in TFLite.
    """
    fused = fuse_functions(graph)
    outputs = {op.outputs[0] for op in fused.ops if isinstance(op, UnaryOperator)}
    return {*outputs, *(name for name in graph.tensors if name not in fused.tensors)}


def calibrated_names(graph: Graph) -> list[str]:
    """The activations that get a range: all of real numbers but what the graph keeps.

    A runtime has no values for that: it is seen where it is read and assigned.
    """
    floats = (t for t in graph.tensors.values() if t.dtype is DType.FLOAT32 and not t.is_constant)
    return [tensor.name for tensor in floats if tensor.name not in graph.state_names]
