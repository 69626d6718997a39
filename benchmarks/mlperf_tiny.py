"""Prints instructions, flash and RAM of the five MLPerf Tiny networks on every core, as Markdown.

    python benchmarks/mlperf_tiny.py [--untrained] [--model NAME] [--core CORE] [--newer DIR]

Beside each figure stands its ratio to TensorFlow Lite Micro's. Those were measured on int8 models
of the same architectures with CMSIS-NN v7.0.0-33, GCC 12.2 and QEMU's instruction counter: the
fewest instructions of -O2, -O3 and -Ofast; flash at -Os, code and model; RAM as .data, .bss and the
used arena without the stack.

Ours are instructions at --optimize and flash at -Os, both as what the model adds to the same
firmware without one. The M0 has no emulated board with enough memory, so its code runs on that of
the M3. --newer, a checkout of another CMSIS-NN, adds its instructions beside the packaged one's.

Models are trained into --models where they are not there already. --untrained takes random weights
and calibrates on noise: weights hardly change what kernels do.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinyml.emulate.qemu import run_firmware
from tinyml.evaluate.profile import describe_model
from tinyml.firmware.boards import Board, load_board
from tinyml.firmware.build import BuildResult
from tinyml.firmware.model import build_model
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Graph

REPOSITORY = Path(__file__).parents[1]
MODELS = (
    "keyword_spotting",
    "image_classification",
    "visual_wake_words",
    "anomaly_detection",
    "streaming_wakeword",
)
CORES = {
    "M0": "mps2-an385",
    "M3": "mps2-an385",
    "M4": "mps2-an386",
    "M7": "mps2-an500",
    "M33": "mps2-an505",
    "M55": "mps3-an547",
}
# Keras stays in a process of its own: it cannot share one with tflite-runtime.
SAVE_UNTRAINED = """
import importlib, pathlib, sys
import keras, numpy as np

name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
keras.utils.set_random_seed(0)
model = importlib.import_module(f"models.{name}").build()
noise = np.random.default_rng(0).normal(size=(20, *model.input_shape[1:])).astype(np.float32)
for layer in model.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0  # take the noise's mean and variance: signals neither fade nor explode
model(noise, training=True)
model.save(folder / f"{name}.keras")
np.savez(folder / f"{name}.calibration.npz", x=noise)
"""


@dataclass(frozen=True)
class Others:
    """What TensorFlow Lite Micro takes for a network: instructions by core, bytes on the M4."""

    instructions: Mapping[str, int]
    flash: int
    ram: int


TFLITE_MICRO = {
    "keyword_spotting": Others(
        {"M0": 28_995_015, "M3": 10_532_496, "M4": 7_697_739, "M7": 7_643_514, "M55": 1_785_157},
        flash=99_824,
        ram=23_520,
    ),
    "image_classification": Others(
        {"M0": 97_549_437, "M3": 41_756_578, "M4": 29_861_331, "M7": 29_935_167, "M55": 4_809_289},
        flash=141_548,
        ram=55_696,
    ),
    "visual_wake_words": Others(
        {"M0": 86_877_131, "M3": 31_958_931, "M4": 24_101_548, "M7": 24_025_163, "M55": 6_433_176},
        flash=379_176,
        ram=101_408,
    ),
    "anomaly_detection": Others(
        {"M0": 1_763_274, "M3": 955_868, "M4": 582_256, "M7": 582_566, "M55": 149_920},
        flash=299_576,
        ram=2_996,
    ),
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


def main() -> None:
    """Measure every model on every core."""
    options = _parse()
    print(f"CMSIS-NN {find_cmsis_nn().version}; instructions at {options.optimize}, flash at -Os")
    if options.newer:
        with _cmsis_nn(options.newer):
            print(f"newer CMSIS-NN {find_cmsis_nn().version}")
    print()
    print("|", " | ".join(COLUMNS), "|")
    print("|---|---|" + "--:|" * (len(COLUMNS) - 2))
    for name in options.model or MODELS:
        graph = _int8_model(name, options.models, trained=not options.untrained)
        for core in options.core or CORES:
            print(_row(name, core, graph, options.optimize, options.newer), flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--models", type=Path, default=REPOSITORY / "build" / "mlperf_tiny")
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--core", action="append", choices=list(CORES))
    parser.add_argument("--optimize", default="-O2")
    parser.add_argument("--newer", type=Path)
    return parser.parse_args()


def _int8_model(name: str, models: Path, *, trained: bool) -> Graph:
    """Read the int8 model below ``models``; make it where it is not there."""
    folder = models if trained else models / "untrained"
    model = folder / f"{name}.tflite"
    if not model.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train = ("-m", "tinyml", "train", name, "-o", folder)
        _python(*(train if trained else ("-c", SAVE_UNTRAINED, name, folder)))
        keras, data = (folder / f"{name}.{end}" for end in ("keras", "calibration.npz"))
        _python("-m", "tinyml", "quantize", keras, "--data", data, "-o", model)
    return load_quantized(model)


def _python(*arguments: str | Path) -> None:
    command = [sys.executable, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)


def _row(name: str, core: str, graph: Graph, optimize: str, newer: Path | None) -> str:
    board = _board(core)
    fast, instructions = _measured(graph, board, optimize)
    small, _ = _measured(graph, board, "-Os")
    with _cmsis_nn(newer):
        _, newer_instructions = _measured(graph, board, optimize) if newer else (None, None)
    plans = {plan.isa: plan for plan in describe_model(graph).plans}
    others = TFLITE_MICRO.get(name)
    on_m4 = others if core == "M4" else None
    cells = (
        name,
        core,
        f"{instructions:,}",
        _ratio(instructions, others and others.instructions.get(core)),
        f"{newer_instructions:,}" if newer_instructions else "-",
        _ratio(newer_instructions, others and others.instructions.get(core)),
        f"{small.flash_bytes:,}",
        _ratio(small.flash_bytes, on_m4 and on_m4.flash),
        f"{fast.ram_bytes:,}",
        _ratio(fast.ram_bytes, on_m4 and on_m4.ram),
        f"{fast.arena_bytes:,}",
        _ratio(fast.arena_bytes, plans[fast.board.isa].lower_bound),
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


def _measured(graph: Graph, board: Board, optimize: str) -> tuple[BuildResult, int | None]:
    """Sizes, and the instructions of one inference on zeros."""
    with tempfile.TemporaryDirectory() as folder:
        build = build_model(graph, board, Path(folder), optimize=optimize)
        result = run_firmware(build, np.zeros((1, build.input_bytes), np.uint8), jobs=1)
    return build, result.instructions_per_inference


def _ratio(ours: int | None, others: int | None) -> str:
    return f"{ours / others:.3f}" if ours and others else "-"


if __name__ == "__main__":
    main()
