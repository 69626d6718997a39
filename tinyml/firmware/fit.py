"""Whether a model fits a board, and by how much: linked as a build is, with room for anything."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from tinyml.codegen.module import CModule
from tinyml.firmware.boards import VECTOR_TABLE_BYTES, Board, Memory
from tinyml.firmware.build import compile_model
from tinyml.firmware.link import link
from tinyml.firmware.toolchain import find_cmsis_nn, find_toolchain

# Longer than any region of a microcontroller, and short enough for the next to lie behind it.
ROOM = 2**28

_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFit:
    """What a model's image takes of a board's memory, in bytes.

    ``ram_bytes`` is the arena, the state, the stack the board reserves and what the firmware keeps
    for itself.
    """

    board: Board
    flash_bytes: int
    flash_available: int
    ram_bytes: int
    ram_available: int
    arena_bytes: int
    state_bytes: int

    @property
    def fits(self) -> bool:
        """Whether a build succeeds."""
        return self.flash_bytes <= self.flash_available and self.ram_bytes <= self.ram_available

    @property
    def firmware_ram_bytes(self) -> int:
        """What is neither the model's nor stack."""
        return self.ram_bytes - self.arena_bytes - self.state_bytes - self.board.stack_bytes


def measure_fit(module: CModule, board: Board) -> BoardFit:
    """Link ``module``, made for ``board``, as ``build_firmware`` does by default.

    The linker says what is used of each region, and compares that with the board's when it builds.

    Raises:
        ToolchainError: a tool or CMSIS-NN is missing or fails.
        ValueError: the board is the host, whose memory has no regions.
    """
    if board.memory is None:
        raise ValueError(f"board '{board.name}' has no memory regions")
    toolchain = find_toolchain(board)
    roomy = replace(board, memory=_with_room(board.memory))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        objects = compile_model(module, board, toolchain, find_cmsis_nn(), scratch)
        elf = scratch / "image.elf"
        said = link(roomy, toolchain, "semihosting", objects, elf, "-Wl,--print-memory-usage")
    leads_flash = board.memory.vectors is None
    return BoardFit(
        board=board,
        flash_bytes=_used(said, "FLASH") + (VECTOR_TABLE_BYTES if leads_flash else 0),
        flash_available=board.memory.flash.length,
        ram_bytes=_used(said, "RAM"),
        ram_available=board.memory.ram.length,
        arena_bytes=module.arena_bytes,
        state_bytes=module.state_bytes,
    )


def _with_room(memory: Memory) -> Memory:
    return replace(
        memory,
        flash=replace(memory.flash, length=ROOM),
        ram=replace(memory.ram, length=ROOM),
    )


def _used(said: str, region: str) -> int:
    """Bytes of a region in use, from the table GNU ld prints."""
    number, unit = re.findall(rf"^ *{region}: +(\d+) +(\w+) ", said, re.MULTILINE)[0]
    return int(number) * _UNITS[unit]
