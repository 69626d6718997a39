"""Objects -> image: the linker's regions, and what lies in an image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import VECTOR_TABLE_BYTES, Board, Console, Memory
from tinyml.firmware.compile import runner_library
from tinyml.firmware.toolchain import Toolchain, run_tool

# Sections of an ELF file that never reach the device.
_NOT_LOADED = (".debug", ".comment", ".ARM.attributes", ".gnu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the image; ``size`` is in bytes."""

    name: str
    address: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSize:
    """Bytes an image takes: flash holds code, constants and the initial .data; no stack in RAM."""

    flash_bytes: int
    ram_bytes: int
    sections: tuple[Section, ...]


def link(
    board: Board,
    toolchain: Toolchain,
    console: Console,
    inputs: Sequence[Path],
    elf: Path,
    *extra: str,
) -> str:
    """Link ``inputs`` with the runner; the map file lands beside ``elf``. Returns what GCC says."""
    memory = _memory_flags(board.memory, board.stack_bytes) if board.memory else ()
    library = runner_library(board, toolchain, console)
    runner = ("-Wl,--whole-archive", library, "-Wl,--no-whole-archive")
    flags = (*board.flags, *memory, "-Wl,--gc-sections", f"-Wl,-Map={elf.with_suffix('.map')}")
    # Nothing reads the version on the device: it is there for whoever has only the image.
    keep = "-Wl,--undefined=under_test_cmsis_nn"
    return run_tool([toolchain.gcc.path, *flags, keep, *extra, *runner, *inputs, "-lm", "-o", elf])


def _memory_flags(memory: Memory, stack_bytes: int) -> tuple[str, ...]:
    """Hand the board's regions to link.ld; the vector table leads flash unless it has a place."""
    own_place = memory.vectors is not None
    symbols = {
        "VECTORS_ORIGIN": memory.vectors if own_place else memory.flash.origin,
        "FLASH_ORIGIN": memory.flash.origin + (0 if own_place else VECTOR_TABLE_BYTES),
        "FLASH_LENGTH": memory.flash.length - (0 if own_place else VECTOR_TABLE_BYTES),
        "RAM_ORIGIN": memory.ram.origin,
        "RAM_LENGTH": memory.ram.length,
        "STACK_BYTES": stack_bytes,
    }
    script = ("-nostartfiles", "-T", str(firmware_dir() / "link.ld"))
    return (*script, *(f"-Wl,--defsym={name}={value}" for name, value in symbols.items()))


def measure(toolchain: Toolchain, elf: Path) -> ImageSize:
    """Read GNU size: its text is all that is read-only, its bss holds our .stack section too."""
    totals = run_tool([toolchain.size.path, elf]).splitlines()[1].split()
    text, data, bss = (int(total) for total in totals[:3])
    sections = _sections(toolchain, elf)
    stack = sum(section.size for section in sections if section.name == ".stack")
    return ImageSize(flash_bytes=text + data, ram_bytes=data + bss - stack, sections=sections)


def _sections(toolchain: Toolchain, elf: Path) -> tuple[Section, ...]:
    listing = run_tool([toolchain.size.path, "-A", elf])
    rows = re.findall(r"^(\.\S+)\s+(\d+)\s+(\d+)$", listing, flags=re.MULTILINE)
    return tuple(
        Section(name=name, address=int(address), size=int(size))
        for name, size, address in rows
        if not name.startswith(_NOT_LOADED)
    )
