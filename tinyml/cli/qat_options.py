"""Options of ``tinyml quantize`` for quantization-aware training."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from tinyml.train.finetune import Tuning

DEFAULT = Tuning()
# Options by their parameters' names.
ONLY_FOR_QAT = {"epochs", "learning_rate", "batch_size", "seed", "ranges", "resume"}

OPTIONS = (
    click.option(
        "--qat",
        is_flag=True,
        help="Train with the integers in sight: --data is the training set then, with labels 'y' "
        "or without, where the float model's own outputs are the aim.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        default=DEFAULT.epochs,
        show_default=True,
        help="For --qat: the most there are; it ends before where nothing gets better.",
    ),
    click.option(
        "--learning-rate",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=DEFAULT.learning_rate,
        show_default=True,
        help="For --qat: that of the start, falling to 0 along a cosine.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        default=DEFAULT.batch_size,
        show_default=True,
        help="For --qat.",
    ),
    click.option("--seed", type=int, default=DEFAULT.seed, show_default=True, help="For --qat."),
    click.option(
        "--ranges",
        type=click.Choice(["moving-average", "learned"]),
        default="moving-average",
        show_default=True,
        help="For --qat: activations' ranges follow the batches, or all thresholds are trained.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="For --qat: go on from the state an interrupted training left beside the output.",
    ),
)


@dataclass(frozen=True, slots=True)
class Training:
    """How a model is trained for its integers."""

    tuning: Tuning
    ranges: str
    resume: bool


def qat_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options as one ``training``, None without ``--qat``."""

    @functools.wraps(function)
    def command(*arguments: Any, qat: bool, ranges: str, resume: bool, **others: Any) -> Any:
        names = ("epochs", "learning_rate", "batch_size", "seed")
        tuning = Tuning(**{name: others.pop(name) for name in names})
        if not qat:
            _refuse_options()
        training = Training(tuning, ranges, resume) if qat else None
        return function(*arguments, training=training, **others)

    for option in reversed(OPTIONS):
        command = option(command)
    return command


def _refuse_options() -> None:
    """Raise where an option is given that says nothing without --qat."""
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in ONLY_FOR_QAT and source is not ParameterSource.DEFAULT:
            raise click.UsageError(
                f"{parameter.opts[0]} says how --qat trains, which is not asked for; give --qat "
                "too, or leave it out"
            )
