"""A search: trials that are not in the journal yet, and what all of them come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

import numpy as np

from tinyml import __version__
from tinyml.data.dataset import Dataset, drawn_samples, float_samples, inputs_of
from tinyml.data.judging import check_labels, metric_of
from tinyml.data.metrics import Metric, score
from tinyml.errors import InputError, ModelError
from tinyml.evaluate.oracle import run_float
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import Board
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.quantize.method import Progress, silent
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Scheme
from tinyml.search.frontier import Trial, quality
from tinyml.search.journal import Journal
from tinyml.search.layers import SAMPLES, Ranking, mixed_recipes, rank_layers
from tinyml.search.options import recipe_json, whole_model_recipes
from tinyml.search.runners import Runner
from tinyml.search.trial import Problem


def make_problem(
    graph: Graph,
    calibration: Dataset,
    test: Dataset,
    board: Board | None = None,
    *,
    goal: str = "speed",
    most_samples: int = 1000,
) -> Problem:
    """Run the float model on at most ``most_samples`` of ``test``, drawn by a fixed seed.

    Raises InputError where labels name no class of the model, or there are none and samples have
    no class either.
    """
    test = drawn_samples(test, most_samples)
    metric = metric_of(test, graph)
    check_labels(test, graph, metric, needed=False)
    if test.labels is None and metric is not Metric.ACCURACY:
        raise InputError(
            f"the data's 'metric' is '{metric.value}', which needs labels: add them to the data as "
            "'y'"
        )
    floats = run_float(graph, float_samples(test.samples, inputs_of(graph)))[0]
    return Problem(
        graph=graph,
        calibration=calibration.samples,
        test=test,
        metric=metric,
        floats=floats,
        board=board,
        goal=goal,
    )


def float_accuracy(problem: Problem) -> float:
    """The float model's accuracy by labels; 1 without them, where its classes are the labels."""
    test = problem.test
    if test.labels is None:
        return 1.0
    return score(problem.metric, test.samples[0], problem.floats, test.labels)


def search(
    problem: Problem, journal: Journal, run: Runner, progress: Progress = silent
) -> list[Trial]:
    """Try schemes for all layers alike, then such as differ from layer to layer.

    Where an operator cannot be imitated, no layers are told apart.
    """
    alike = list(whole_model_recipes())
    with progress("trying schemes", len(alike)) as update:
        trials = run_trials(problem, alike, journal, run, update)
    ranking = _ranking(problem, journal, progress)
    if ranking is None:
        return trials
    eight, four = (_best(trials, bits) for bits in (8, 4))
    mixed = list(mixed_recipes(ranking, eight, four))
    with progress("trying layers", len(mixed)) as update:
        return trials + run_trials(problem, mixed, journal, run, update)


def _ranking(problem: Problem, journal: Journal, progress: Progress) -> Ranking | None:
    """The journal's, or one that is measured and kept there."""
    fingerprint = _sha256(_digest(problem) + "ranking")
    if fingerprint not in journal.rankings:
        with progress("ranking layers", min(SAMPLES, len(problem.test))) as update:
            try:
                ranking = rank_layers(problem, update)
            except (InputError, ModelError):
                return None
        journal.add_ranking(fingerprint, ranking)
    return journal.rankings[fingerprint]


def _best(trials: Sequence[Trial], bits: int) -> Recipe:
    """The most accurate of those with weights of so many bits and activations of 8."""
    scheme = Scheme(weight_bits=bits)
    found = [trial for trial in trials if trial.recipe.scheme == scheme]
    return max(found, key=lambda t: (quality(t), t.outcome.signal_to_error or 0)).recipe


def run_trials(
    problem: Problem,
    recipes: Sequence[Recipe],
    journal: Journal,
    run: Runner,
    on_progress: Callable[[int], None] | None = None,
) -> list[Trial]:
    """Try every recipe that the journal has not, and give all, in the order of ``recipes``.

    ``on_progress`` is called with the number of trials that are known.
    """
    base = _digest(problem)
    fingerprints = [
        _sha256(base + json.dumps(recipe_json(recipe), sort_keys=True)) for recipe in recipes
    ]
    waiting = [n for n, each in enumerate(fingerprints) if each not in journal.outcomes]
    known = len(recipes) - len(waiting)
    if on_progress:
        on_progress(known)
    finished = run(problem, [recipes[n] for n in waiting]) if waiting else iter(())
    for done, (place, outcome) in enumerate(finished, start=known + 1):
        number = waiting[place]
        journal.add(fingerprints[number], recipe_json(recipes[number]), outcome)
        if on_progress:
            on_progress(done)
    return [
        Trial(recipe, journal.outcomes[fingerprint])
        for recipe, fingerprint in zip(recipes, fingerprints, strict=True)
    ]


def _digest(problem: Problem) -> str:
    """Of all that trials of this search share, and of what computes them."""
    digest = hashlib.sha256(write_tflite(problem.graph))
    test = problem.test
    for array in (*problem.calibration, *test.samples, test.labels):
        described = "none" if array is None else f"{array.dtype} {array.shape}"
        digest.update(described.encode())
        digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    board, cmsis_nn = repr(problem.board), find_cmsis_nn().version
    said = (problem.metric.value, board, problem.goal, cmsis_nn, __version__)
    digest.update(json.dumps(said).encode())
    return digest.hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
