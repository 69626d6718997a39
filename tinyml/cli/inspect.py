"""``tinyml inspect MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich import box
from rich.console import Console
from rich.table import Table

from tinyml.cli.common import MODEL, count, json_option, write_json
from tinyml.evaluate.profile import LayerFacts, ModelFacts, describe_model
from tinyml.frontend.load import load_model


@click.command("inspect")
@MODEL
@json_option
def command(model: Path, json_path: Path | None) -> None:
    """Show operators, shapes, quantization, MACs, weights, and for int8 the memory plan."""
    facts = describe_model(load_model(model))
    write_json(json_path, facts.to_json())
    _print(facts)


def _print(facts: ModelFacts) -> None:
    click.echo(f"{facts.name}: {facts.precision}, {count(len(facts.layers), 'operators')}")
    for kind, tensors in (("input", facts.inputs), ("output", facts.outputs)):
        for tensor in tensors:
            click.echo(f"{kind:7} {tensor}")
    console = Console(width=None if Console().is_terminal else 120)
    console.print(_layer_table(facts.layers))
    click.echo(f"MACs     {count(facts.macs):>14}")
    click.echo(f"weights  {count(facts.weight_bytes, 'bytes'):>20}")
    for plan in facts.plans:
        click.echo(
            f"arena    {count(plan.arena_bytes, 'bytes'):>20}  {plan.isa} cores, lower bound "
            f"{count(plan.lower_bound)}, ratio {plan.ratio:.3f}"
        )
    if facts.refusal:
        click.echo(f"cannot be built: {facts.refusal}")


def _layer_table(layers: tuple[LayerFacts, ...]) -> Table:
    table = Table(box=box.SIMPLE)
    columns: tuple[tuple[str, Literal["left", "right"]], ...] = (
        ("#", "right"),
        ("layer", "left"),
        ("operator", "left"),
        ("output", "left"),
        ("scale", "right"),
        ("zero point", "right"),
        ("MACs", "right"),
        ("weights", "right"),
    )
    for heading, justify in columns:
        table.add_column(heading, justify=justify)
    for layer in layers:
        table.add_row(
            str(layer.number),
            layer.name,
            layer.operator,
            layer.output,
            "-" if layer.scale is None else f"{layer.scale:.6g}",
            "-" if layer.zero_point is None else str(layer.zero_point),
            count(layer.macs),
            count(layer.weight_bytes),
        )
    return table
