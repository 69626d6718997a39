"""Options of ``tinyml quantize`` for quantization-aware training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option(
        "--qat",
        is_flag=True,
        help="Train with the integers in sight: --data is the training set then, with labels 'y' "
        "or without, where the float model's own outputs are the aim.",
    ),
    click.option(
        "--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="For --qat."
    ),
    click.option(
        "--learning-rate",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=1e-4,
        show_default=True,
        help="For --qat: that of the start, falling to 0 along a cosine.",
    ),
    click.option(
        "--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="For --qat."
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="For --qat."),
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


def qat_options(function: F) -> F:
    """Add them all."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
