"""``tinyml ops``."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from tinyml.cli.common import json_option, write_json
from tinyml.report.operators import HEADINGS, describe_operators, operator_rows

# In a pipe every operator has a line of its own, however long.
PIPE_WIDTH = 1000


@click.command("ops")
@json_option
def command(json_path: Path | None) -> None:
    """List the supported operators: their dtypes and kernels, and what of ONNX they are."""
    write_json(json_path, {"operators": [facts.to_json() for facts in describe_operators()]})
    console = Console()
    if console.is_terminal:
        console.print(_table(Table(*HEADINGS, box=box.SIMPLE_HEAD)))
        return
    pipe = Console(width=PIPE_WIDTH)
    with pipe.capture() as capture:
        pipe.print(_table(Table(*HEADINGS, box=None, pad_edge=False)))
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _table(table: Table) -> Table:
    for row in operator_rows():
        table.add_row(*row)
    return table
