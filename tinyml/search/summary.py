"""What a search prints and writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from tinyml.firmware.boards import Board
from tinyml.search.frontier import Limits, Trial, drop_of, excess, frontier, quality
from tinyml.search.options import label_of, recipe_json
from tinyml.search.trial import Problem

COLUMNS: tuple[tuple[str, Literal["left", "right"]], ...] = (
    ("", "left"),
    ("scheme", "left"),
    ("accuracy", "right"),
    ("lost", "right"),
    ("signal to error", "right"),
    ("flash", "right"),
    ("RAM", "right"),
)


def headline(problem: Problem, limits: Limits) -> str:
    """What the trials are held to."""
    name, samples = problem.graph.name, f"{len(problem.test)} samples"
    if problem.test.labels is None:
        return f"{name}: {samples} without labels, judged by the share in the float model's class"
    return f"{name}: float {problem.metric.label} {100 * limits.accuracy:.2f} % ({samples})"


def trial_cells(trial: Trial, limits: Limits, is_chosen: bool) -> tuple[str, ...]:  # noqa: FBT001
    """One row of the frontier under COLUMNS."""
    outcome = trial.outcome
    return (
        "->" if is_chosen else "",
        label_of(trial.recipe),
        f"{100 * quality(trial):.2f} %",
        f"{drop_of(trial, limits):.2f}",
        f"{outcome.signal_to_error or 0:.1f} dB",
        f"{outcome.flash_bytes or 0:,}",
        f"{outcome.ram_bytes or 0:,}",
    )


def memory_line(board: Board | None) -> str:
    """What flash and RAM include."""
    if board is None or board.memory is None:
        return "flash: the model's constants; RAM: its arena and state (--board has whole images)"
    return f"flash and RAM: the whole image on {board.name} with its stack, as in 'tinyml inspect'"


def excess_lines(trial: Trial, limits: Limits) -> list[str]:
    """Say by how much each limit is missed; nothing where all are kept."""
    outcome, lines = trial.outcome, list[str]()
    drop = drop_of(trial, limits)
    if drop > limits.max_drop:
        lines.append(f"it loses {drop:.2f} percentage points, allowed are {limits.max_drop:g}")
    for name, taken, most in (
        ("flash", outcome.flash_bytes or 0, limits.max_flash),
        ("RAM", outcome.ram_bytes or 0, limits.max_ram),
    ):
        if most is not None and taken > most:
            lines.append(f"it takes {taken:,} bytes of {name}, allowed are {most:,}")
    return ["no scheme keeps all limits:", *lines] if lines else []


def search_json(
    problem: Problem, trials: Sequence[Trial], limits: Limits, chosen: Trial, command: str
) -> dict[str, Any]:
    """All trials in their order, and which of them are worth having."""
    best = frontier(trials)
    return {
        "model": problem.graph.name,
        "board": problem.board.name if problem.board else None,
        "samples": len(problem.test),
        "has_labels": problem.test.labels is not None,
        "float_accuracy": limits.accuracy,
        "max_accuracy_drop": limits.max_drop,
        "max_flash": limits.max_flash,
        "max_ram": limits.max_ram,
        "passed": excess(chosen, limits) == 0,
        "command": command,
        "trials": [
            {
                **recipe_json(trial.recipe),
                **trial.outcome.to_json(),
                "is_on_frontier": trial in best,
                "is_recommended": trial is chosen,
            }
            for trial in trials
        ],
    }
