"""``tinyml build MODEL --board BOARD -o DIR``."""

from __future__ import annotations

from pathlib import Path

import click

from tinyml.cli.common import (
    board_option,
    check_folder,
    console_option,
    count,
    goal_option,
    json_option,
    kernels_option,
    model_argument,
    output_option,
    write_json,
)
from tinyml.firmware.boards import Console, load_board
from tinyml.firmware.build import BuildResult
from tinyml.frontend.load import load_quantized
from tinyml.pipeline import build_model


@click.command("build")
@model_argument
@board_option
@output_option("Folder for the .elf, .hex, .bin and .map.")
@click.option(
    "--optimize",
    default="-O2",
    show_default=True,
    help="GCC's optimization option for the model and its kernels.",
)
@click.option(
    "--single-rounding",
    is_flag=True,
    help="Build the kernels with CMSIS_NN_USE_SINGLE_ROUNDING (other last bits).",
)
@kernels_option
@goal_option
@console_option
@json_option
def command(
    model: Path,
    signature: str | None,
    board: str,
    output: Path,
    optimize: str,
    single_rounding: bool,  # noqa: FBT001  # click passes flags by name
    kernels: str,
    goal: str,
    console: Console,
    json_path: Path | None,
) -> None:
    """Build firmware of an int8 model and say what it takes."""
    check_folder(output)
    target = load_board(board)
    result = build_model(
        load_quantized(model, signature),
        target,
        output,
        optimize=optimize,
        single_rounding=single_rounding,
        kernels=kernels,
        goal=goal,
        console=console,
    )
    write_json(json_path, summary(result))
    print_sizes(result)


def summary(result: BuildResult) -> dict[str, object]:
    """What --json writes."""
    return {
        "board": result.board.name,
        "console": result.console,
        "elf": str(result.elf),
        "flash_bytes": result.flash_bytes,
        "ram_bytes": result.ram_bytes,
        "arena_bytes": result.arena_bytes,
        "image_flash_bytes": result.image.flash_bytes,
        "image_ram_bytes": result.image.ram_bytes,
        "cmsis_nn": result.cmsis_nn_version,
        "compiler": result.compiler_version,
    }


def print_sizes(result: BuildResult) -> None:
    """Print where the image is and its size table."""
    click.echo(f"{result.elf} for {result.board.name}: {result.board.description}")
    click.echo(f"{'':12}{'flash':>12}{'RAM':>12}")
    rows = {
        "model": (result.flash_bytes, result.ram_bytes),
        "image": (result.image.flash_bytes, result.image.ram_bytes),
    }
    memory = result.board.memory
    if memory is not None:
        rows["board"] = (memory.flash.length, memory.ram.length)
    for name, (flash, ram) in rows.items():
        click.echo(f"{name:12}{count(flash):>12}{count(ram):>12}")
    click.echo(f"arena       {count(result.arena_bytes):>24}")
    click.echo(f"CMSIS-NN {result.cmsis_nn_version}, {result.compiler_version}")
