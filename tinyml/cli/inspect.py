"""``tinyml inspect MODEL``."""

from __future__ import annotations

from pathlib import Path

import click

from tinyml.cli.common import (
    Column,
    count,
    json_option,
    model_argument,
    print_table,
    progress_bar,
    write_json,
)
from tinyml.report.facts import BoardFacts, LayerFacts, ModelFacts, StepFacts
from tinyml.report.inspection import boards_to_fit, inspect_model

LAYER_COLUMNS: tuple[Column, ...] = (
    ("#", "right"),
    ("layer", "left"),
    ("operator", "left"),
    ("output", "left"),
    ("type", "left"),
    ("scale", "right"),
    ("zero point", "right"),
    ("MACs", "right"),
    ("weights", "right"),
)
BOARD_COLUMNS: tuple[Column, ...] = (
    ("board", "left"),
    ("fits", "left"),
    ("flash", "right"),
    ("available", "right"),
    ("RAM", "right"),
    ("available", "right"),
    ("arena", "right"),
    ("state", "right"),
    ("stack", "right"),
    ("firmware", "right"),
)


@click.command("inspect")
@model_argument
@json_option
def command(model: Path, signature: str | None, json_path: Path | None) -> None:
    """Show what is in a model, what of it is not supported and why, and which boards it fits."""
    with progress_bar("linking for each board", len(boards_to_fit())) as on_progress:
        facts = inspect_model(model, on_progress, signature)
    write_json(json_path, facts.to_json())
    _print(facts, model)


def _print(facts: ModelFacts, model: Path) -> None:
    click.echo(f"{facts.name}: {facts.precision}, {count(len(facts.layers), 'operators')}")
    for kind, tensors in (("input", facts.inputs), ("output", facts.outputs)):
        for tensor in tensors:
            click.echo(f"{kind:7} {tensor}")
    print_table(LAYER_COLUMNS, map(_layer_cells, facts.layers))
    _print_sizes(facts, model)
    _print_support(facts)
    if facts.plans:
        _print_kernels(facts)
    if facts.boards:
        print_table(BOARD_COLUMNS, map(_board_cells, facts.boards))
    for board in facts.boards:
        if board.refusal:
            click.echo(f"{board.board}: {board.refusal}")
    if facts.boards_refusal:
        click.echo(f"boards were not looked at: {facts.boards_refusal}")


def _print_sizes(facts: ModelFacts, model: Path) -> None:
    click.echo(f"MACs     {count(facts.macs):>14}")
    click.echo(f"weights  {count(facts.weight_bytes, 'bytes'):>20}")
    if facts.complete and facts.precision == "float32":
        click.echo(
            f"to be built it must be quantized: tinyml quantize {model} --data CALIBRATION.npz -o "
            f"{model.stem}.int8.tflite\nas int8:"
        )
    for plan in facts.plans:
        click.echo(
            f"arena    {count(plan.arena_bytes, 'bytes'):>20}  {plan.isa} cores, lower bound "
            f"{count(plan.lower_bound)}, ratio {plan.ratio:.3f}"
        )


def _print_kernels(facts: ModelFacts) -> None:
    """Which kernel runs each layer on each class of core, and why others do not."""
    rows = list(zip(*(plan.kernels for plan in facts.plans), strict=True))
    columns: list[Column] = [("layer", "left"), *((plan.isa, "left") for plan in facts.plans)]
    print_table(columns, ([cores[0].name, *map(_functions, cores)] for cores in rows))
    for cores in rows:
        reasons: dict[tuple[str, str], list[str]] = {}
        for plan, kernel in zip(facts.plans, cores, strict=True):
            for refused in kernel.refused:
                reasons.setdefault((refused.name, refused.reason), []).append(plan.isa)
        for (candidate, reason), isas in reasons.items():
            click.echo(f"{cores[0].name}: not {candidate} on {', '.join(isas)}: {reason}")


def _functions(kernel: StepFacts) -> str:
    return ", ".join(dict.fromkeys(kernel.functions)) or "none: the same bytes"


def _print_support(facts: ModelFacts) -> None:
    if facts.supported:
        click.echo("all operators are supported")
        return
    click.echo("it cannot be built:")
    for entry in facts.unsupported:
        place = "model" if entry.number is None else f"#{entry.number}"
        click.echo(f"  {place:6} {entry.reason}")
    judged = {entry.number for entry in facts.unsupported}
    unknown = [layer for layer in facts.layers if not (layer.output or layer.number in judged)]
    if unknown:
        numbers = ", ".join(f"#{layer.number}" for layer in unknown)
        click.echo(f"  {numbers}: of a supported kind, but their inputs are not known")


def _layer_cells(layer: LayerFacts) -> tuple[str, ...]:
    return (
        str(layer.number),
        layer.name,
        layer.operator,
        layer.output or "-",
        layer.dtype or "-",
        "-" if layer.scale is None else f"{layer.scale:.6g}",
        "-" if layer.zero_point is None else str(layer.zero_point),
        count(layer.macs),
        count(layer.weight_bytes),
    )


def _verdict(board: BoardFacts) -> str:
    """Yes, or which memory is too small."""
    sizes = (
        ("flash", board.flash_bytes, board.flash_available),
        ("RAM", board.ram_bytes, board.ram_available),
    )
    short = [name for name, needed, there in sizes if (needed or 0) > (there or 0)]
    return "yes" if board.fits else f"no: {', '.join(short)}" if short else "no"


def _board_cells(board: BoardFacts) -> tuple[str, ...]:
    return (
        board.board,
        _verdict(board),
        count(board.flash_bytes),
        count(board.flash_available),
        count(board.ram_bytes),
        count(board.ram_available),
        count(board.arena_bytes),
        count(board.state_bytes),
        count(board.stack_bytes),
        count(board.firmware_bytes),
    )
