"""``tinyml export MODEL --format tflite|onnx|c -o PATH``."""

from __future__ import annotations

from pathlib import Path

import click

from tinyml.cli.common import (
    check_file,
    check_folder,
    count,
    goal_option,
    kernels_option,
    model_argument,
    output_option,
)
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.files import atomic_write
from tinyml.firmware.boards import load_board
from tinyml.frontend.load import load_model, load_quantized
from tinyml.package.folder import write_module
from tinyml.pipeline import generate_model


@click.command("export")
@model_argument
@click.option(
    "--format",
    "file_format",
    required=True,
    type=click.Choice(["tflite", "onnx", "c"]),
    help="What to write.",
)
@output_option("File to write; for C, a folder.")
@click.option("--board", help="For C: tune for this board instead of any Cortex-M.")
@kernels_option
@goal_option
def command(
    model: Path,
    signature: str | None,
    file_format: str,
    output: Path,
    board: str | None,
    kernels: str,
    goal: str,
) -> None:
    """Write a model as .tflite, as .onnx, or as C that calls CMSIS-NN (int8 models)."""
    if file_format == "c":
        check_folder(output)
        target = load_board(board) if board else None
        module = generate_model(
            load_quantized(model, signature), target, kernels=kernels, goal=goal
        )
        for path in write_module(module, output):
            click.echo(path)
        return
    if board:
        raise click.UsageError("--board tunes C and nothing else: leave it out, or use --format c")
    check_file(output, f".{file_format}")
    graph = load_model(model, signature)
    data = write_tflite(graph) if file_format == "tflite" else write_onnx(graph)
    atomic_write(output, data)
    click.echo(f"{output}: {count(len(data), 'bytes')}")
