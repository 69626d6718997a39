"""``tinyml ops``."""

from __future__ import annotations

import click

from tinyml.cli.common import print_pairs
from tinyml.ops.registry import operators_by_opcode


@click.command("ops")
def command() -> None:
    """List the operators tinyml reads, quantizes, exports and runs, in float32 and int8."""
    print_pairs(
        {
            opcode: (cls.__doc__ or "").split("\n")[0]
            for opcode, cls in sorted(operators_by_opcode().items())
        }
    )
