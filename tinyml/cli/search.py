"""``tinyml search MODEL --data CAL.npz --max-accuracy-drop PP``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from tinyml.cli.common import (
    check_file,
    check_folder,
    goal_option,
    jobs_option,
    json_option,
    model_argument,
    print_table,
    progress_bar,
    warn,
    write_json,
)
from tinyml.data.dataset import read_dataset
from tinyml.errors import InputError
from tinyml.files import atomic_write
from tinyml.firmware.boards import load_board
from tinyml.frontend.load import load_float
from tinyml.quantize.calibrate import calibration_samples
from tinyml.search.frontier import Limits, Trial, excess, frontier, recommended
from tinyml.search.journal import Journal
from tinyml.search.layers import layers_toml
from tinyml.search.options import options_of
from tinyml.search.runners import on_cluster, on_cores
from tinyml.search.search import float_accuracy, make_problem, search
from tinyml.search.summary import (
    COLUMNS,
    excess_lines,
    headline,
    memory_line,
    search_json,
    trial_cells,
)
from tinyml.search.trial import Problem

LIMIT_MISSED = 1


@click.command("search")
@model_argument
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="The representative dataset of 'tinyml quantize'.",
)
@click.option(
    "--test",
    type=click.Path(path_type=Path),
    help="Samples that schemes are judged on, with labels for accuracies; those of --data by "
    "default.",
)
@click.option(
    "--max-accuracy-drop",
    required=True,
    type=click.FloatRange(min=0),
    metavar="PP",
    help="Percentage points of the float model's accuracy that may be lost.",
)
@click.option("--max-flash", type=click.IntRange(min=1), metavar="BYTES", help="Flash to fit.")
@click.option("--max-ram", type=click.IntRange(min=1), metavar="BYTES", help="RAM to fit.")
@click.option("--board", help="Link every trial for this board, whose memory is a limit too.")
@goal_option
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Test samples to run at most, drawn by a fixed seed.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder for the journal and for a file of layers; the current one by default.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="Where finished trials are kept, and looked for: MODEL.search.jsonl by default.",
)
@jobs_option("Trials to run at a time.")
@click.option("--dask", metavar="ADDRESS", help="Run the trials on the Dask cluster there instead.")
@json_option
def command(
    model: Path,
    signature: str | None,
    data: Path,
    test: Path | None,
    max_accuracy_drop: float,
    max_flash: int | None,
    max_ram: int | None,
    board: str | None,
    goal: str,
    samples: int,
    output: Path,
    journal: Path | None,
    jobs: int,
    dask: str | None,
    json_path: Path | None,
) -> int:
    """Find the cheapest scheme that keeps the accuracy of a float model."""
    check_folder(output)
    target = load_board(board) if board else None
    graph = load_float(model, signature)
    calibration = read_dataset(data, graph)
    warn(calibration_samples(graph, calibration.samples)[2])
    tested = read_dataset(test, graph) if test else calibration
    journal = journal or output / f"{model.stem}.search.jsonl"
    check_file(journal)
    problem = make_problem(graph, calibration, tested, target, goal=goal, most_samples=samples)
    limits = _limits(problem, max_accuracy_drop, max_flash, max_ram)
    kept = Journal(journal)
    try:
        trials = search(problem, kept, on_cluster(dask) if dask else on_cores(jobs), progress_bar)
    except KeyboardInterrupt:
        click.echo(f"finished trials are in {journal}: the same command goes on there", err=True)
        raise
    chosen = recommended(trials, limits)
    if chosen is None:
        raise InputError(
            f"no scheme makes a model that can be built of '{model}': {trials[0].outcome.refused}"
        )
    made_by = _quantize_command(model, signature, data, chosen, output)
    write_json(json_path, search_json(problem, trials, limits, chosen, made_by))
    _print(problem, trials, limits, chosen, made_by)
    return LIMIT_MISSED if excess(chosen, limits) else 0


def _limits(
    problem: Problem, max_drop: float, max_flash: int | None, max_ram: int | None
) -> Limits:
    """What is asked for, and what the board has."""
    memory = problem.board.memory if problem.board else None
    return Limits(
        accuracy=float_accuracy(problem),
        max_drop=max_drop,
        max_flash=_least(max_flash, memory.flash.length if memory else None),
        max_ram=_least(max_ram, memory.ram.length if memory else None),
    )


def _print(
    problem: Problem, trials: Sequence[Trial], limits: Limits, chosen: Trial, made_by: str
) -> None:
    click.echo(headline(problem, limits))
    print_table(COLUMNS, (trial_cells(t, limits, t is chosen) for t in frontier(trials)))
    click.echo(memory_line(problem.board))
    missed = excess_lines(chosen, limits)
    for line in missed:
        click.echo(line)
    click.echo(f"{'nearest' if missed else 'recommended'}:\n{made_by}")


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _quantize_command(
    model: Path, signature: str | None, data: Path, trial: Trial, folder: Path
) -> str:
    """The command line that makes the trial's model; what it takes of layers is written."""
    chosen = ["--signature", signature] if signature else []
    target = f"{model.stem}.int8.tflite" if model.suffix == ".tflite" else f"{model.stem}.tflite"
    words = ["tinyml", "quantize", str(model), *chosen, "--data", str(data), "-o", target]
    words += options_of(trial.recipe)
    if trial.recipe.scheme.overrides:
        layers = folder / f"{model.stem}.layers.toml"
        atomic_write(layers, layers_toml(trial.recipe))
        words += ["--layers", str(layers)]
    return shlex.join(words)
