"""``tinyml boards``."""

from __future__ import annotations

import click

from tinyml.cli.common import count
from tinyml.firmware.boards import Board, list_boards, load_board

ROW = "{:18}{:12}{:8}{:>12}{:>12}  {:18}{}"


@click.command("boards")
def command() -> None:
    """List the boards firmware can be built for."""
    click.echo(ROW.format("name", "CPU", "kernels", "flash", "RAM", "emulator", "description"))
    for name in list_boards():
        click.echo(_row(load_board(name)).rstrip())


def _row(board: Board) -> str:
    memory = board.memory
    sizes = (count(memory.flash.length), count(memory.ram.length)) if memory else ("-", "-")
    emulator = board.emulator.machine if board.emulator else "-"
    return ROW.format(board.name, board.cpu, board.isa, *sizes, emulator, board.description)
