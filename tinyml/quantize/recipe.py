"""What a user chose for post-training quantization, carried out up to the integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinyml.errors import InputError
from tinyml.ir.graph import Array, Graph
from tinyml.passes.take_cast_inputs import take_cast_inputs
from tinyml.quantize.calibrate import CalibrationTable, calibrate, calibration_samples
from tinyml.quantize.layers_file import check_overrides
from tinyml.quantize.method import Progress, Task, silent
from tinyml.quantize.methods import all_methods, check_methods
from tinyml.quantize.observers import ObserverKind, observer_factory
from tinyml.quantize.ranges_file import SavedRanges, ranges_for
from tinyml.quantize.scheme import INT8, Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The scheme, how ranges are found, and the methods by name, in any order.

    The scheme's overrides may give single layers another observer and other methods.
    """

    scheme: Scheme = INT8
    observer: ObserverKind = ObserverKind.MIN_MAX
    percentile: float = 99.99
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_methods(self.methods)
        observer_factory(self.observer, self.percentile)()  # refuses a percentile without meaning

    def layers_of(self, method: str, graph: Graph) -> frozenset[str]:
        """Names of the operators that a method may change."""
        chosen = ((op.name, self.scheme.methods_of(op, self.methods)) for op in graph.ops)
        return frozenset(name for name, methods in chosen if method in methods)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What ``quantize_graph`` takes, and what each method did to each layer, in words.

    ``floats`` is the graph that the ranges are of: methods after that make up for rounding.
    ``after`` names the methods that were applied before the ranges were found.
    """

    graph: Graph
    table: CalibrationTable
    floats: Graph
    after: tuple[str, ...] = ()
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def calibrate_by(
    recipe: Recipe,
    graph: Graph,
    samples: Array | Sequence[Array] | None = None,
    progress: Progress = silent,
    saved: SavedRanges | None = None,
) -> Calibrated:
    """Apply the methods to a float graph, and find the ranges of its activations.

    The order is the methods' own: those that change ranges, calibration, the others. ``samples``
    are as ``calibrate`` takes them, and so are the errors. With ``saved`` ranges nothing is
    calibrated, and only methods ask for samples.
    """
    check_overrides(graph, recipe.scheme.overrides)
    used = tuple(name for name in all_methods() if recipe.layers_of(name, graph))
    _require_samples(samples, used, saved)
    arrays: list[Array] = []
    if samples is None:
        graph = take_cast_inputs(graph)
    else:
        graph, arrays, _ = calibration_samples(graph, samples)
    before = tuple(name for name in used if all_methods()[name].before)
    changes: dict[str, Mapping[str, str]] = {}
    graph = _apply(recipe, graph, arrays, before, changes, progress)
    if saved is None:
        table = _calibrate(recipe, graph, arrays, progress)
    else:
        table = ranges_for(saved, graph, before)
    others = tuple(name for name in used if name not in before)
    improved = _apply(recipe, graph, arrays, others, changes, progress)
    return Calibrated(improved, table, graph, before, changes)


def _require_samples(
    samples: Array | Sequence[Array] | None, methods: tuple[str, ...], saved: SavedRanges | None
) -> None:
    if samples is not None or (saved is not None and not methods):
        return
    reason = f"the methods {', '.join(methods)} look at samples" if methods else "there are none"
    raise InputError(f"samples are needed, for {reason}: give a representative dataset (--data)")


def _calibrate(
    recipe: Recipe, graph: Graph, samples: Sequence[Array], progress: Progress
) -> CalibrationTable:
    observers = {
        name: observer_factory(recipe.scheme.observer_of(op, recipe.observer), recipe.percentile)
        for op in graph.ops
        for name in op.outputs
    }
    make_observer = observer_factory(recipe.observer, recipe.percentile)
    with progress("calibrating", len(samples[0])) as update:
        return calibrate(graph, samples, make_observer, update, observers)


def _apply(
    recipe: Recipe,
    graph: Graph,
    samples: Sequence[Array],
    methods: tuple[str, ...],
    changes: dict[str, Mapping[str, str]],
    progress: Progress,
) -> Graph:
    """Apply methods in this order, and add what they changed."""
    for name in methods:
        task = Task(
            samples=samples,
            scheme=recipe.scheme,
            layers=recipe.layers_of(name, graph),
            progress=progress,
        )
        improved = all_methods()[name].apply(graph, task)
        graph, changes[name] = improved.graph, improved.changes
    return graph
