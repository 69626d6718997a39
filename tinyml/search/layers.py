"""Schemes that differ from layer to layer, in the order of what each layer costs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tinyml.data.dataset import Dataset
from tinyml.ir.graph import DType
from tinyml.quantize.prepare import prepare_to_quantize
from tinyml.quantize.recipe import Recipe, calibrate_by
from tinyml.quantize.scheme import Override, Scheme
from tinyml.quantize.sensitivity import LayerSensitivity, measure_sensitivity
from tinyml.search.trial import Problem

# For an order few will do; every layer runs them four times.
SAMPLES = 50
# Shares of the layers with weights that get 4 bits, in eighths.
RUNGS = range(1, 8)
# Layers that get 16 bits: what hurts, hurts in the first few.
WIDENED = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Layers' names by what they cost the output by themselves.

    ``narrow``: those with weights that may have 4 bits, the least costly in 4 bits first.
    ``wide``: all that round activations, the most costly in 8 bits first.
    """

    narrow: tuple[str, ...]
    wide: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {name: list(names) for name, names in asdict(self).items()}


def rank_layers(problem: Problem, on_progress: Callable[[int], None] | None = None) -> Ranking:
    """Measure every layer in 4 bits and in 8, on few of the test samples.

    Raises ModelError where an operator cannot be imitated.
    """
    data = Dataset(problem.test.samples)  # signal to error is enough
    in_four = _costs(problem, data, Scheme(weight_bits=4), on_progress)
    in_eight = _costs(problem, data, Scheme(), on_progress)
    names = {op.name for op in problem.graph.ops}
    narrow = [layer.name for layer in reversed(in_four) if layer.weight_bits == 4]
    wide = [layer.name for layer in in_eight if layer.name in names]
    return Ranking(narrow=tuple(narrow), wide=tuple(wide))


def _costs(
    problem: Problem, data: Dataset, scheme: Scheme, on_progress: Callable[[int], None] | None
) -> Sequence[LayerSensitivity]:
    calibrated = calibrate_by(Recipe(scheme=scheme), problem.graph, problem.calibration)
    prepared = prepare_to_quantize(calibrated.graph, calibrated.table, scheme)
    return measure_sensitivity(prepared, data, on_progress, most_samples=SAMPLES).layers


def mixed_recipes(ranking: Ranking, eight: Recipe, four: Recipe) -> Iterator[Recipe]:
    """Let the layers that bear it have 4 bits, and those that need it activations of 16.

    ``eight`` is what all other layers have; those of 4 bits have the methods of ``four``.
    """
    methods = four.methods if four.methods != eight.methods else None
    count = len(ranking.narrow)
    for most in sorted({count * rung // 8 for rung in RUNGS} - {0, count}):
        layers = ranking.narrow[:most]
        yield _with_overrides(
            eight, *(Override(layers=_exactly(n), weight_bits=4, methods=methods) for n in layers)
        )
    for most in (n for n in WIDENED if n < len(ranking.wide)):
        layers = ranking.wide[:most]
        yield _with_overrides(
            eight, *(Override(layers=_exactly(n), activations=DType.INT16) for n in layers)
        )


def _with_overrides(recipe: Recipe, *overrides: Override) -> Recipe:
    return replace(recipe, scheme=replace(recipe.scheme, overrides=overrides))


def _exactly(name: str) -> str:
    """The pattern that fits this name alone."""
    return re.sub(r"([*?[])", r"[\1]", name)


def layers_json(recipe: Recipe) -> list[dict[str, Any]]:
    """The tables of the file that ``--layers`` takes, as plain values."""
    return [_table(override) for override in recipe.scheme.overrides]


def layers_toml(recipe: Recipe) -> str:
    """The file that ``--layers`` takes; strings of JSON are strings of TOML."""
    tables = (
        "\n".join(["[[layer]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())])
        for table in layers_json(recipe)
    )
    return "\n\n".join(tables) + "\n"


def _table(override: Override) -> dict[str, Any]:
    methods = override.methods
    values = {
        "name": override.layers,
        "observer": override.observer and override.observer.value,
        "bits": override.weight_bits,
        "activations": override.activations and override.activations.value,
        "method": None if methods is None else list(methods),
    }
    return {key: value for key, value in values.items() if value is not None}
