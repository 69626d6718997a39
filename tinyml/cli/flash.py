"""``tinyml flash MODEL_OR_ELF --board BOARD``."""

from __future__ import annotations

from pathlib import Path

import click

from tinyml.cli.common import board_option, count, signature_option
from tinyml.firmware.boards import load_board
from tinyml.flash.emulator import flash_elf, flash_model
from tinyml.frontend.load import load_quantized


@click.command("flash")
@click.argument("model_or_elf", type=click.Path(path_type=Path))
@signature_option
@board_option
def command(model_or_elf: Path, signature: str | None, board: str) -> None:
    """Boot firmware, or an int8 model's, on an emulated board."""
    target = load_board(board)
    if model_or_elf.suffix == ".elf":
        flash_elf(model_or_elf, target)
        click.echo(f"{model_or_elf} booted on {target.name}")
        return
    result = flash_model(load_quantized(model_or_elf, signature), target)
    instructions = count(result.instructions_per_inference, "instructions")
    click.echo(f"{model_or_elf} booted on {target.name} and ran once: {instructions}")
