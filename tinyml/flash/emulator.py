"""The backend for boards that QEMU emulates: flashing is booting the image there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from tinyml.device.boot import booted, emulator_command
from tinyml.device.qemu import RunResult, run_firmware
from tinyml.errors import DeviceError
from tinyml.firmware.boards import Board
from tinyml.firmware.elf import check_image
from tinyml.ir.graph import Graph
from tinyml.pipeline import build_model

BOOT_SECONDS = 30


def flash_elf(elf: Path, board: Board) -> None:
    """Boot an image that ``tinyml build`` wrote; without samples it starts and ends cleanly.

    Raises InputError where the file is no image for this board, DeviceError where it does not
    come up.
    """
    check_image(elf, board)
    # Whichever of the two consoles the image was built for, it finds it.
    command = emulator_command(elf, board, ["semihosting", "uart"])
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        (Path(folder) / "input.bin").touch()
        try:
            with booted(command, Path(folder), serial=board.uart is not None) as image:
                status = image.ended.result(BOOT_SECONDS)
        except (TimeoutError, OSError, DeviceError) as error:
            reason = str(error) or f"nothing came in {BOOT_SECONDS} seconds"
            raise DeviceError(f"'{elf}' did not come up on {board.name}: {reason}") from error
    if status != 0:
        raise DeviceError(
            f"'{elf}' did not come up on {board.name}: it ended with status {status}; "
            "was it built for this board?"
        )


def flash_model(graph: Graph, board: Board) -> RunResult:
    """Build a quantized graph for ``board``, boot it, and run it once on zeros."""
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        build = build_model(graph, board, Path(folder))
        return run_firmware(build, np.zeros((1, build.input_bytes), np.uint8), jobs=1)
