"""``tinyml boards``."""

from __future__ import annotations

import click

from tinyml.cli.common import count
from tinyml.firmware.boards import Board, list_boards, load_board

HEADINGS = ("name", "CPU", "kernels", "flash", "RAM", "emulator", "description")
ROW = "{:18}{:12}{:8}{:>12}{:>12}  {:18}{}"


@click.command("boards")
def command() -> None:
    """List the boards firmware can be built for."""
    click.echo(ROW.format(*HEADINGS))
    for name in list_boards():
        click.echo(ROW.format(*cells(load_board(name))).rstrip())


def cells(board: Board) -> tuple[str, ...]:
    """Return what the command says of a board, under HEADINGS."""
    memory = board.memory
    sizes = (count(memory.flash.length), count(memory.ram.length)) if memory else ("-", "-")
    emulator = board.emulator.machine if board.emulator else "-"
    return board.name, board.cpu, board.isa, *sizes, emulator, board.description
