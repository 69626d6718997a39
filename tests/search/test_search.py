"""Trials are what 'tinyml quantize' and 'tinyml build' make, and none is done twice."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from graphs import small_float

from tinyml.data.dataset import Dataset
from tinyml.errors import InputError, ToolchainError
from tinyml.evaluate.compare import compare_model
from tinyml.firmware.boards import load_board
from tinyml.ir.graph import DType
from tinyml.pipeline import plan_model
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Scheme
from tinyml.report.inspection import describe_fit
from tinyml.search.journal import Journal
from tinyml.search.layers import mixed_recipes, rank_layers
from tinyml.search.runners import on_cores
from tinyml.search.search import float_accuracy, make_problem, run_trials, search
from tinyml.search.trial import Outcome, Problem, try_recipe

RECIPES = [Recipe(), Recipe(scheme=Scheme(per_channel=False)), Recipe(scheme=Scheme(weight_bits=4))]


def data(count: int = 12, *, labels: bool = True) -> Dataset:
    samples = np.random.default_rng(0).uniform(-1, 1, (count, 6, 6, 2)).astype(np.float32)
    return Dataset(samples, np.arange(count) % 3 if labels else None)


def problem(board: str | None = None, **kinds) -> Problem:
    return make_problem(small_float(), data(), data(**kinds), load_board(board) if board else None)


class Counted:
    """Runs in this process, notes what it is given, and stops after ``most``."""

    def __init__(self, most: int = 100) -> None:
        self.most, self.seen = most, list[Recipe]()

    def __call__(
        self, problem: Problem, recipes: Sequence[Recipe]
    ) -> Iterator[tuple[int, Outcome]]:
        for number, recipe in reversed(list(enumerate(recipes))):
            if len(self.seen) == self.most:
                raise KeyboardInterrupt
            self.seen.append(recipe)
            yield number, try_recipe(problem, recipe)


def test_a_trial_has_the_accuracy_and_the_memory_of_the_model_on_the_board():
    posed = problem("stm32vldiscovery")

    outcome = try_recipe(posed, Recipe())

    graph = posed.graph
    quantized = quantize_graph(graph, calibrate(graph, posed.calibration))
    compared = compare_model(quantized, posed.test, posed.board, float_graph=graph)
    fit = describe_fit(plan_model(quantized, posed.board), posed.board)
    assert outcome.accuracy == compared.device_accuracy
    assert outcome.agreement == compared.float_agreement
    assert (outcome.flash_bytes, outcome.ram_bytes) == (fit.flash_bytes, fit.ram_bytes)
    assert outcome.arena_bytes == compared.arena_bytes
    assert outcome.signal_to_error > 25


def test_without_a_board_memory_is_what_no_compiler_has_a_say_in():
    eight, four = (try_recipe(problem(), RECIPES[n]) for n in (0, 2))

    assert four.flash_bytes < eight.flash_bytes < 1000
    assert eight.ram_bytes == eight.arena_bytes


def test_what_cannot_be_built_is_an_outcome_with_its_reason():
    posed = problem()
    nan = posed.graph.tensor("fc/w").constant.copy()
    nan[0, 0] = np.nan
    broken = posed.graph.with_tensors(replace(posed.graph.tensor("fc/w"), data=nan))

    outcome = try_recipe(replace(posed, graph=broken), Recipe())

    assert "infinite or NaN" in outcome.refused
    assert outcome.flash_bytes is None


def test_a_search_that_was_stopped_goes_on_and_does_nothing_twice(tmp_path):
    path, posed, first, second = tmp_path / "j.jsonl", problem(), Counted(most=1), Counted()
    with pytest.raises(KeyboardInterrupt):
        run_trials(posed, RECIPES, Journal(path), first)

    trials = run_trials(posed, RECIPES, Journal(path), second)

    assert first.seen == [RECIPES[2]]
    assert second.seen == [RECIPES[1], RECIPES[0]]
    assert [trial.recipe for trial in trials] == RECIPES
    assert [trial.outcome for trial in trials] == [try_recipe(posed, each) for each in RECIPES]


@pytest.mark.parametrize(
    "other",
    [
        lambda: problem(count=11),
        lambda: problem(labels=False),
        lambda: problem("mps2-an386"),
        lambda: make_problem(small_float(), data(11), data()),
    ],
    ids=["test data", "labels", "board", "calibration"],
)
def test_trials_on_anything_else_are_done_anew(tmp_path, other):
    path, again = tmp_path / "j.jsonl", Counted()
    run_trials(problem(), RECIPES[:1], Journal(path), Counted())

    run_trials(other(), RECIPES[:1], Journal(path), again)

    assert again.seen == RECIPES[:1]


def test_a_search_tries_every_layer_alike_and_then_mixes_by_what_they_cost(tmp_path, monkeypatch):
    monkeypatch.setattr("tinyml.search.search.whole_model_recipes", lambda: iter(RECIPES))
    path, posed, first, again = tmp_path / "j.jsonl", problem(), Counted(), Counted()

    trials = search(posed, Journal(path), first)

    (ranking,) = Journal(path).rankings.values()
    mixed = [trial.recipe for trial in trials[len(RECIPES) :]]
    assert [trial.recipe for trial in trials[: len(RECIPES)]] == RECIPES
    assert mixed == list(mixed_recipes(ranking, RECIPES[0], RECIPES[2]))
    assert [trial.outcome.refused for trial in trials] == [None] * len(trials)
    assert search(posed, Journal(path), again) == trials
    assert again.seen == []


def test_four_bits_in_some_layers_lie_between_four_and_eight_in_all():
    posed = problem()
    ranking = rank_layers(posed)
    names = {op.name for op in posed.graph.ops}

    some = next(mixed_recipes(ranking, Recipe(), Recipe()))
    eight, mixed, four = (try_recipe(posed, each) for each in (Recipe(), some, RECIPES[2]))

    assert set(ranking.narrow) < names  # those with weights, the depthwise filter left out
    assert len(ranking.narrow) == 2
    assert set(ranking.wide) <= names
    assert four.flash_bytes <= mixed.flash_bytes <= eight.flash_bytes
    assert four.signal_to_error < mixed.signal_to_error < eight.signal_to_error


def test_progress_starts_with_what_the_journal_has(tmp_path):
    path, seen = tmp_path / "j.jsonl", []
    run_trials(problem(), RECIPES[:2], Journal(path), Counted())

    run_trials(problem(), RECIPES, Journal(path), Counted(), seen.append)

    assert seen == [2, 3]


def test_trials_in_processes_of_their_own_have_the_same_outcomes(tmp_path):
    posed = problem()

    trials = run_trials(posed, RECIPES[:2], Journal(tmp_path / "j.jsonl"), on_cores(2))

    assert [trial.outcome for trial in trials] == [try_recipe(posed, each) for each in RECIPES[:2]]


def test_a_missing_tool_ends_the_search_and_is_no_outcome(tmp_path, monkeypatch):
    posed = problem("mps2-an386")
    journal = Journal(tmp_path / "j.jsonl")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolchainError, match="arm-none-eabi-gcc"):
        run_trials(posed, RECIPES[:1], journal, on_cores(1))
    assert journal.outcomes == {}


def test_without_labels_floats_classes_are_the_accuracy():
    posed = problem(labels=False)

    assert float_accuracy(posed) == 1.0
    assert try_recipe(posed, Recipe()).accuracy is None
    assert try_recipe(posed, Recipe(scheme=Scheme(activations=DType.INT16))).agreement == 1.0


def test_few_samples_are_drawn_of_many():
    posed = make_problem(small_float(), data(), data(50), most_samples=20)

    assert len(posed.test) == len(posed.floats) == 20


def test_a_metric_that_needs_labels_is_refused_without():
    test = Dataset(data().samples, None, "reconstruction_auc")

    with pytest.raises(InputError, match="'metric' is 'reconstruction_auc'"):
        make_problem(small_float(), data(), test)
