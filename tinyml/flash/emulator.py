"""The backend for boards that QEMU emulates: flashing is booting the image there."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tinyml.emulate.qemu import RunResult, emulator_command, run_firmware
from tinyml.errors import DeviceError
from tinyml.firmware.boards import Board
from tinyml.firmware.model import build_model
from tinyml.flash.elf import check_image
from tinyml.ir.graph import Graph

BOOT_SECONDS = 30


def flash_elf(elf: Path, board: Board) -> None:
    """Boot an image that ``tinyml build`` wrote; without samples it starts and ends cleanly.

    Raises InputError where the file is no image for this board, DeviceError where it does not
    come up.
    """
    check_image(elf, board)
    command = emulator_command(elf, board)
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        (Path(folder) / "input.bin").touch()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=BOOT_SECONDS,
                check=False,
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise DeviceError(f"'{elf}' did not come up on {board.name}: {error}") from error
    if done.returncode != 0:
        raise DeviceError(
            f"'{elf}' did not come up on {board.name}: it ended with status {done.returncode}; "
            "was it built for this board?"
        )


def flash_model(graph: Graph, board: Board) -> RunResult:
    """Build a quantized graph for ``board``, boot it, and run it once on zeros."""
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        build = build_model(graph, board, Path(folder))
        return run_firmware(build, np.zeros((1, build.input_bytes), np.uint8), jobs=1)
