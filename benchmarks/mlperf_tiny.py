"""Prints instructions, flash and RAM of the five MLPerf Tiny networks on every core, as Markdown.

    python benchmarks/mlperf_tiny.py [--untrained] [--model NAME] [--core CORE] [--newer DIR]

Beside each figure stands its ratio to TensorFlow Lite Micro's (benchmarks/tflite_micro.py), and a
ratio above its limit ends the run with 1. docs/benchmarks.md has the table.

Ours are instructions at --optimize and flash at -Os, both as what the model adds to the same
firmware without one. The M0 has no emulated board with enough memory, so its code runs on that of
the M3. --newer, a checkout of another CMSIS-NN, adds its instructions beside the packaged one's.

Models are trained into --models where they are not there already. --untrained takes random weights
and calibrates on noise: weights hardly change what kernels do.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mlperf_models import FOLDER, MODELS, int8_model
from msgspec.structs import replace
from tflite_micro import Figures

from tinyml.device.qemu import run_firmware
from tinyml.firmware.boards import Board, load_board
from tinyml.firmware.build import BuildResult
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Graph
from tinyml.pipeline import build_model
from tinyml.report.facts import describe_model

CORES = {
    "M0": "mps2-an385",
    "M3": "mps2-an385",
    "M4": "mps2-an386",
    "M7": "mps2-an500",
    "M33": "mps2-an505",
    "M55": "mps3-an547",
}
COLUMNS = (
    "model",
    "core",
    "instructions",
    "of TFLM's",
    "newer CMSIS-NN",
    "of TFLM's",
    "flash",
    "of TFLM's",
    "RAM",
    "of TFLM's",
    "arena",
    "of its bound",
)


def main() -> int:
    """Measure every model on every core."""
    options = _parse()
    print(f"CMSIS-NN {find_cmsis_nn().version}; instructions at {options.optimize}, flash at -Os")
    if options.newer:
        with _cmsis_nn(options.newer):
            print(f"newer CMSIS-NN {find_cmsis_nn().version}")
    print()
    print("|", " | ".join(COLUMNS), "|")
    print("|---|---|" + "--:|" * (len(COLUMNS) - 2))
    missed: list[str] = []
    for name in options.model or MODELS:
        graph = load_quantized(int8_model(name, options.models, trained=not options.untrained))
        for core in options.core or CORES:
            figures = _figures(name, core, graph, options.optimize, options.newer)
            print(row_of(figures), flush=True)
            missed += figures.missed()
    for sentence in missed:
        print(sentence, file=sys.stderr)
    return 1 if missed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--models", type=Path, default=FOLDER)
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--core", action="append", choices=list(CORES))
    parser.add_argument("--optimize", default="-O2")
    parser.add_argument("--newer", type=Path)
    return parser.parse_args()


def _figures(name: str, core: str, graph: Graph, optimize: str, newer: Path | None) -> Figures:
    board = _board(core)
    fast, instructions = _measured(graph, board, optimize)
    small, _ = _measured(graph, board, "-Os")
    with _cmsis_nn(newer):
        _, newer_instructions = _measured(graph, board, optimize) if newer else (None, None)
    plans = {plan.isa: plan for plan in describe_model(graph).plans}
    return Figures(
        model=name,
        core=core,
        instructions=instructions,
        newer=newer_instructions,
        flash=small.flash_bytes,
        ram=fast.ram_bytes,
        arena=fast.arena_bytes,
        bound=plans[fast.board.isa].lower_bound,
    )


def row_of(figures: Figures) -> str:
    """A line of the table."""
    cells = (
        figures.model,
        figures.core,
        f"{figures.instructions:,}",
        _ratio(figures.of_instructions(figures.instructions)),
        f"{figures.newer:,}" if figures.newer else "-",
        _ratio(figures.of_instructions(figures.newer)),
        f"{figures.flash:,}",
        _ratio(figures.of_flash),
        f"{figures.ram:,}",
        _ratio(figures.of_ram),
        f"{figures.arena:,}",
        _ratio(figures.of_bound),
    )
    return f"| {' | '.join(cells)} |"


def _board(core: str) -> Board:
    board = load_board(CORES[core])
    if core != "M0":
        return board
    small = load_board("microbit")
    return replace(board, name="m0-on-mps2-an385", cpu=small.cpu, flags=small.flags)


@contextmanager
def _cmsis_nn(checkout: Path | None) -> Iterator[None]:
    """Build with another CMSIS-NN than the packaged one, where one is given."""
    if checkout is None:
        yield
        return
    os.environ["CMSIS_NN_DIR"] = str(checkout)
    try:
        yield
    finally:
        del os.environ["CMSIS_NN_DIR"]


def _measured(graph: Graph, board: Board, optimize: str) -> tuple[BuildResult, int]:
    """Sizes, and the instructions of one inference on zeros."""
    with tempfile.TemporaryDirectory() as folder:
        build = build_model(graph, board, Path(folder), optimize=optimize)
        result = run_firmware(build, np.zeros((1, build.input_bytes), np.uint8), jobs=1)
    return build, result.instructions_per_inference or 0


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3f}"


if __name__ == "__main__":
    sys.exit(main())
