"""Prints instructions, flash and RAM of int8 models on every emulated board, as Markdown.

    python benchmarks/boards.py [MODEL.tflite ...] [--data NPZ] [--board BOARD ...] [--optimize -O2]

Instructions are of one inference, counted by QEMU: the mean over the samples of ``--data`` or,
without it, of one on zeros. Flash and RAM are what the model adds to the same firmware without a
model, the stack apart. A board the model does not fit is left out, with the reason on stderr.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from tinyml.data.dataset import quantize_samples, read_dataset
from tinyml.device.qemu import run_firmware
from tinyml.errors import ModelError
from tinyml.firmware.boards import Board, list_boards, load_board
from tinyml.firmware.build import BuildResult
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Array, Graph
from tinyml.pipeline import build_model

# What 'make demo' leaves.
DIGITS = Path("build/demo/digits.tflite")

COLUMNS = ("model", "board", "CPU", "instructions", "flash", "RAM", "arena", "stack")


def main() -> None:
    """Measure every model on every board."""
    options = _parse()
    print("|", " | ".join(COLUMNS), "|")
    print("|---|---|---|" + "--:|" * (len(COLUMNS) - 3))
    for path in options.models:
        graph = load_quantized(path)
        for name in options.board or _emulated_boards():
            try:
                print(_row(graph, load_board(name), options.optimize, options.data))
            except ModelError as error:
                print(f"{graph.name}: {error}", file=sys.stderr)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="*", type=Path, default=[DIGITS])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--board", action="append")
    parser.add_argument("--optimize", default="-O2")
    return parser.parse_args()


def _emulated_boards() -> list[str]:
    return [name for name in list_boards() if load_board(name).emulator is not None]


def _row(graph: Graph, board: Board, optimize: str, data: Path | None) -> str:
    with tempfile.TemporaryDirectory() as folder:
        build = build_model(graph, board, Path(folder), optimize=optimize)
        return _measured(graph, build, _samples(graph, build, data))


def _samples(graph: Graph, build: BuildResult, path: Path | None) -> Array:
    """Raw samples, bytes of one a row."""
    if path is None:
        return np.zeros((1, build.input_bytes), np.uint8)
    inputs = [graph.tensor(name) for name in graph.inputs]
    data = read_dataset(path, inputs)
    columns = quantize_samples(data.samples, inputs)
    return np.concatenate([c.reshape(len(data), -1).view(np.uint8) for c in columns], axis=1)


def _measured(graph: Graph, build: BuildResult, samples: Array) -> str:
    result = run_firmware(build, samples)
    numbers = (
        result.instructions_per_inference,
        build.flash_bytes,
        build.ram_bytes,
        build.arena_bytes,
        result.stack_bytes,
    )
    cells = (graph.name, build.board.name, build.board.cpu, *(f"{n or 0:,}" for n in numbers))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
