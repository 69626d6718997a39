"""A search: trials that are not in the journal yet, and what all of them come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from tinyml import __version__
from tinyml.data.dataset import Dataset, float_samples, inputs_of
from tinyml.data.judging import check_labels, metric_of
from tinyml.data.metrics import Metric, score
from tinyml.errors import InputError
from tinyml.evaluate.oracle import run_float
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import Board
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.sensitivity import drawn_samples
from tinyml.search.frontier import Trial
from tinyml.search.journal import Journal
from tinyml.search.options import recipe_json
from tinyml.search.runners import Runner
from tinyml.search.trial import Problem


def make_problem(
    graph: Graph,
    calibration: Dataset,
    test: Dataset,
    board: Board | None = None,
    *,
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
    )


def float_accuracy(problem: Problem) -> float:
    """The float model's accuracy by labels; 1 without them, where its classes are the labels."""
    test = problem.test
    if test.labels is None:
        return 1.0
    return score(problem.metric, test.samples[0], problem.floats, test.labels)


def search(
    problem: Problem,
    recipes: Iterable[Recipe],
    journal: Journal,
    run: Runner,
    on_progress: Callable[[int], None] | None = None,
) -> list[Trial]:
    """Try every recipe that the journal has not, and give all, in the order of ``recipes``.

    ``on_progress`` is called with the number of trials that are known.
    """
    recipes = list(dict.fromkeys(recipes))
    base = _digest(problem)
    fingerprints = [_fingerprint(base, recipe) for recipe in recipes]
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
    said = (problem.metric.value, repr(problem.board), find_cmsis_nn().version, __version__)
    digest.update(json.dumps(said).encode())
    return digest.hexdigest()


def _fingerprint(base: str, recipe: Recipe) -> str:
    text = base + json.dumps(recipe_json(recipe), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def default_journal(folder: Path, graph: Graph) -> Path:
    """Where a search keeps its trials if it is not told otherwise."""
    return folder / f"{graph.name}.search.jsonl"
