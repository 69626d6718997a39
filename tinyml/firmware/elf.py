"""Whether an ELF image was built for a board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tinyml.errors import InputError
from tinyml.firmware.boards import VECTOR_TABLE_BYTES, Board, Memory, MemoryRegion

MAGIC = b"\x7fELF"
EF_ARM_ABI_FLOAT_HARD = 0x400


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bytes the image occupies at ``address``."""

    address: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What of an image tells boards apart."""

    is_arm: bool
    is_hard_float: bool
    segments: tuple[Segment, ...]


def check_image(elf: Path, board: Board) -> None:
    """Raise InputError where ``elf`` is no image, or plainly one for another board.

    Looks at the processor, the floating-point registers it passes arguments in, and at where its
    segments lie. Boards whose memory and processor are alike run each other's images.
    """
    advice = f"build it for this board: tinyml build MODEL --board {board.name} -o DIR"
    data = _read(elf)
    try:
        image = _image(data)
    except (ELFError, OverflowError) as error:  # the latter of an offset no file can have
        raise InputError(f"'{elf}' is damaged or cut short; {advice}") from error
    reason = _other_processor(image, board) or _other_memory(image, board)
    if reason:
        raise InputError(f"'{elf}' {reason}; {advice}")


def _read(elf: Path) -> bytes:
    try:
        data = elf.read_bytes()
    except OSError as error:
        raise InputError(f"'{elf}' cannot be read: {error.strerror}; give an image") from error
    if not data.startswith(MAGIC):
        raise InputError(f"'{elf}' is no ELF image, expected one that 'tinyml build' wrote")
    return data


def _image(data: bytes) -> Image:
    file = ELFFile(BytesIO(data))
    is_arm = file["e_machine"] == "EM_ARM" and file.elfclass == 32 and file.little_endian
    return Image(
        is_arm=is_arm,
        is_hard_float=bool(file["e_flags"] & EF_ARM_ABI_FLOAT_HARD),
        segments=tuple(_segments(file, len(data))),
    )


def _segments(file: ELFFile, length: int) -> Iterator[Segment]:
    """Where the image is loaded and where it runs; empty segments occupy nothing."""
    for segment in file.iter_segments("PT_LOAD"):
        if segment["p_offset"] + segment["p_filesz"] > length:
            raise ELFError("a segment ends behind the file")
        if segment["p_filesz"]:
            yield Segment(address=segment["p_paddr"], size=segment["p_filesz"])
        if segment["p_memsz"]:
            yield Segment(address=segment["p_vaddr"], size=segment["p_memsz"])


def _other_processor(image: Image, board: Board) -> str:
    if board.is_host:
        return "is an Arm image, which this computer cannot run" if image.is_arm else ""
    if not image.is_arm:
        return f"is no 32-bit Arm image, which {board.name} needs"
    hard_float = "-mfloat-abi=hard" in board.flags
    if image.is_hard_float == hard_float:
        return ""
    built, has = ("without", "one") if hard_float else ("with", "none")
    return f"was built {built} a floating-point unit and {board.name} has {has}"


def _other_memory(image: Image, board: Board) -> str:
    if board.memory is None:
        return ""
    regions = _regions(board.memory)
    for segment in image.segments:
        if not any(_holds(region, segment) for region in regions):
            return (
                f"puts {segment.size:,} bytes at {segment.address:#010x}, where {board.name} "
                "has no memory for them"
            )
    return ""


def _regions(memory: Memory) -> list[MemoryRegion]:
    regions = [memory.flash, memory.ram]
    if memory.vectors is not None:
        regions.append(MemoryRegion(origin=memory.vectors, length=VECTOR_TABLE_BYTES))
    return regions


def _holds(region: MemoryRegion, segment: Segment) -> bool:
    end = region.origin + region.length
    return region.origin <= segment.address and segment.address + segment.size <= end
