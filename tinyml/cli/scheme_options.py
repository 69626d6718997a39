"""Options that say how a float model is quantized, the same for every command that does."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from tinyml.cli.common import count
from tinyml.errors import InputError
from tinyml.ir.graph import DType
from tinyml.quantize.layers_file import read_layers
from tinyml.quantize.methods import all_methods
from tinyml.quantize.observers import ObserverKind
from tinyml.quantize.ranges_file import read_ranges
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import WEIGHT_BITS, Scheme

AFFINE = "affine"

PATH = click.Path(path_type=Path)


def _names(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


OPTIONS = (
    click.option(
        "--observer",
        type=click.Choice([kind.value for kind in ObserverKind]),
        default=ObserverKind.MIN_MAX.value,
        show_default=True,
        help="How activation ranges are found.",
    ),
    click.option(
        "--percentile",
        type=float,
        default=99.99,
        show_default=True,
        help="Share of values inside the range, for --observer percentile.",
    ),
    click.option(
        "--weights",
        type=click.Choice(["per-channel", "per-tensor", AFFINE]),
        default="per-channel",
        show_default=True,
        help="One weight scale per output channel, or one in all; the device takes no affine ones.",
    ),
    click.option(
        "--weight-bits",
        type=click.Choice([str(bits) for bits in reversed(WEIGHT_BITS)]),
        default="8",
        show_default=True,
        help="Bits of a weight; depthwise filters have 8 all the same.",
    ),
    click.option(
        "--activations",
        type=click.Choice([DType.INT8.value, DType.INT16.value]),
        default=DType.INT8.value,
        show_default=True,
        help="int16 with int8 weights is called 16x8: twice the memory, finer steps.",
    ),
    click.option(
        "--method",
        metavar="NAME,NAME...",
        default="",
        callback=_names,
        help=f"What lessens the loss, in any order: {', '.join(all_methods())}.",
    ),
    click.option(
        "--layers",
        type=PATH,
        help="A TOML file of [[layer]] tables: other choices for layers, by patterns of names.",
    ),
    click.option(
        "--ranges-from",
        type=PATH,
        help="Take activation ranges from this JSON file; --data is for methods alone then.",
    ),
    click.option(
        "--save-ranges",
        type=PATH,
        help="Write activation ranges to this file as JSON, to look at, edit and give back.",
    ),
)


def scheme_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options: what to do as ``recipe``, ranges of a file as ``saved``.

    ``save_ranges`` is the path to write them to.
    """

    @functools.wraps(function)
    def command(
        *arguments: Any,
        observer: str,
        percentile: float,
        weights: str,
        weight_bits: str,
        activations: str,
        method: tuple[str, ...],
        layers: Path | None,
        ranges_from: Path | None,
        **others: Any,
    ) -> Any:
        _refuse_affine(weights)
        scheme = Scheme(
            per_channel=weights == "per-channel",
            activations=DType(activations),
            weight_bits=int(weight_bits),
            overrides=read_layers(layers) if layers else (),
        )
        recipe = Recipe(
            scheme=scheme,
            observer=ObserverKind(observer),
            percentile=percentile,
            methods=method,
        )
        saved = read_ranges(ranges_from) if ranges_from else None
        return function(*arguments, recipe=recipe, saved=saved, **others)

    for option in reversed(OPTIONS):
        command = option(command)
    return command


def _refuse_affine(weights: str) -> None:
    if weights == AFFINE:
        raise InputError(
            "weights are to be affine, expected symmetric ones: the device's kernels multiply "
            "weights without a zero point, which would cost a sum over every input; take "
            "--weights per-channel, or convert the model to weights-only with its framework's tool"
        )


def print_changes(changes: Mapping[str, Mapping[str, str]]) -> None:
    """Print what each method did to each layer."""
    for method, layers in changes.items():
        click.echo(f"{method}: {count(len(layers))} layers")
        for layer, text in layers.items():
            click.echo(f"  {layer}: {text}")
