"""What a user chose for post-training quantization, carried out up to the integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinyml.errors import InputError
from tinyml.ir.graph import Array, Graph
from tinyml.quantize.calibrate import CalibrationTable, calibrate, calibration_samples
from tinyml.quantize.method import Progress, Task, silent
from tinyml.quantize.methods import all_methods
from tinyml.quantize.observers import ObserverKind, observer_factory
from tinyml.quantize.scheme import INT8, Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The scheme, how ranges are found, and the methods by name, in any order."""

    scheme: Scheme = INT8
    observer: ObserverKind = ObserverKind.MIN_MAX
    percentile: float = 99.99
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.methods:
            if name not in all_methods():
                known = ", ".join(all_methods())
                raise InputError(f"there is no method '{name}', expected some of {known}")
        observer_factory(self.observer, self.percentile)()  # refuses a percentile without meaning


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What ``quantize_graph`` takes, and what each method did to each layer, in words."""

    graph: Graph
    table: CalibrationTable
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def calibrate_by(
    recipe: Recipe,
    graph: Graph,
    samples: Array | Sequence[Array],
    progress: Progress = silent,
) -> Calibrated:
    """Apply the methods to a float graph, and find the ranges of its activations.

    The order is the methods' own: those that change ranges, calibration, the others. ``samples``
    are as ``calibrate`` takes them, and so are the errors.
    """
    graph, samples, _ = calibration_samples(graph, samples)
    changes: dict[str, Mapping[str, str]] = {}
    graph = _apply(recipe, graph, samples, changes, progress, before=True)
    make_observer = observer_factory(recipe.observer, recipe.percentile)
    with progress("calibrating", len(samples[0])) as update:
        table = calibrate(graph, samples, make_observer, on_progress=update)
    graph = _apply(recipe, graph, samples, changes, progress, before=False)
    return Calibrated(graph, table, changes)


def _apply(
    recipe: Recipe,
    graph: Graph,
    samples: Sequence[Array],
    changes: dict[str, Mapping[str, str]],
    progress: Progress,
    *,
    before: bool,
) -> Graph:
    """Apply the methods of one side of the calibration."""
    for name, method in all_methods().items():
        if name in recipe.methods and method.before is before:
            task = Task(samples=samples, scheme=recipe.scheme, progress=progress)
            improved = method.apply(graph, task)
            graph, changes[name] = improved.graph, improved.changes
    return graph
