"""The little of the ELF format that tells whether an image was built for a board."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import InputError
from tinyml.firmware.boards import VECTOR_TABLE_BYTES, Board, Memory, MemoryRegion

MAGIC = b"\x7fELF"
CLASS_32, LITTLE_ENDIAN = 1, 1
MACHINE_ARM = 40
PT_LOAD = 1
EF_ARM_ABI_FLOAT_HARD = 0x400


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bytes the image occupies at ``address``."""

    address: int
    size: int


def check_image(elf: Path, board: Board) -> None:
    """Raise InputError where ``elf`` is no image, or plainly one for another board.

    Looks at the processor, the floating-point registers it passes arguments in, and at where its
    segments lie. Boards whose memory and processor are alike run each other's images.
    """
    data = _read(elf)
    advice = f"build it for this board: tinyml build MODEL --board {board.name} -o DIR"
    is_arm = _is_arm(data)
    if is_arm and board.is_host:
        raise InputError(f"'{elf}' is an Arm image, which this computer cannot run; {advice}")
    if not is_arm and not board.is_host:
        raise InputError(f"'{elf}' is no 32-bit Arm image, which {board.name} needs; {advice}")
    if board.memory is None:
        return
    try:
        flags, segments = struct.unpack_from("<I", data, 36)[0], _segments(data)
    except struct.error as error:
        raise InputError(f"'{elf}' is cut short; {advice}") from error
    hard_float = "-mfloat-abi=hard" in board.flags
    if bool(flags & EF_ARM_ABI_FLOAT_HARD) != hard_float:
        built, has = ("without", "one") if hard_float else ("with", "none")
        raise InputError(
            f"'{elf}' was built {built} a floating-point unit and {board.name} has {has}; {advice}"
        )
    for segment in segments:
        if not any(_holds(region, segment) for region in _regions(board.memory)):
            raise InputError(
                f"'{elf}' puts {segment.size:,} bytes at {segment.address:#010x}, where "
                f"{board.name} has no memory for them; {advice}"
            )


def _read(elf: Path) -> bytes:
    try:
        data = elf.read_bytes()
    except OSError as error:
        raise InputError(f"'{elf}' cannot be read: {error.strerror}; give an image") from error
    if not data.startswith(MAGIC):
        raise InputError(f"'{elf}' is no ELF image, expected one that 'tinyml build' wrote")
    return data


def _is_arm(data: bytes) -> bool:
    return data[4:6] == bytes([CLASS_32, LITTLE_ENDIAN]) and data[18:20] == bytes([MACHINE_ARM, 0])


def _segments(data: bytes) -> list[Segment]:
    """Return where the image is loaded and where it runs; empty segments occupy nothing."""
    offset = struct.unpack_from("<I", data, 28)[0]
    size, count = struct.unpack_from("<HH", data, 42)
    segments = []
    for number in range(count):
        header = struct.unpack_from("<8I", data, offset + number * size)
        kind, _, virtual, physical, in_file, in_memory, _, _ = header
        if kind == PT_LOAD:
            segments.append(Segment(address=physical, size=in_file))
            segments.append(Segment(address=virtual, size=in_memory))
    return [segment for segment in segments if segment.size]


def _regions(memory: Memory) -> list[MemoryRegion]:
    regions = [memory.flash, memory.ram]
    if memory.vectors is not None:
        regions.append(MemoryRegion(origin=memory.vectors, length=VECTOR_TABLE_BYTES))
    return regions


def _holds(region: MemoryRegion, segment: Segment) -> bool:
    end = region.origin + region.length
    return region.origin <= segment.address and segment.address + segment.size <= end
