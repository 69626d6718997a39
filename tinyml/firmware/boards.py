"""Boards: one declarative file each, ``firmware/boards/<name>.toml``."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal, get_args

import msgspec

from tinyml.errors import InputError
from tinyml.firmware import firmware_dir
from tinyml.malformed import MalformedError, explain, read_toml

# The words of a vector table: initial stack pointer and 15 system exceptions.
VECTOR_TABLE_BYTES = 64

# What carries samples in, outputs and the report out: the debugger (or emulator), or a serial port.
Console = Literal["semihosting", "uart"]
CONSOLES: tuple[Console, ...] = get_args(Console)

PAGE = "docs/adding-a-board.md"

Text = Annotated[str, msgspec.Meta(min_length=1)]
Word = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]  # an address, or 32 bits of a register
Count = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF_FFFF)]  # of bytes, or a second


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a board file, whose keys are the fields."""


class MemoryRegion(_Table, frozen=True, kw_only=True):
    """A piece of the address space, in bytes."""

    origin: Word
    length: Count


class Memory(_Table, frozen=True, kw_only=True):
    """Where the linker puts code and data.

    ``vectors`` is the address the core reads its vector table from; None is the start of flash.
    """

    flash: MemoryRegion
    ram: MemoryRegion
    vectors: Word | None = None


class Register(_Table, frozen=True, kw_only=True):
    """A 32-bit register to prepare: bits to clear, then bits to set."""

    address: Word
    clear: Word = 0
    set: Word = 0


class Uart(_Table, frozen=True, kw_only=True):
    """The serial port samples can come in through.

    ``driver`` is the one in ``firmware/src/uart_<driver>.c``, ``clock_hz`` the clock its bit rate
    is divided from, ``setup`` the clocks and pins to prepare, in that order.
    """

    driver: Text
    base: Word
    clock_hz: Count
    baud: Count
    setup: tuple[Register, ...] = ()


class Emulator(_Table, frozen=True, kw_only=True):
    """The QEMU machine that stands in for the board; ``clock_hz`` drives its SysTick.

    ``serial`` is which of the machine's serial ports, counted from 0, is the board's ``uart``.
    """

    machine: Text
    clock_hz: Count
    serial: Word = 0


class Board(_Table, frozen=True, kw_only=True):
    """Everything tinyml knows of a board.

    ``isa`` is what CMSIS-NN specialises on: plain C, the DSP extension or Helium (MVE).
    ``flags`` select the processor for the compiler. ``memory`` is None on the host, ``uart`` where
    we know of none, ``emulator`` where QEMU has no such machine, ``flash_target`` where pyOCD has
    no such target.
    """

    name: Text
    description: Text
    cpu: Text
    isa: Literal["scalar", "dsp", "mve"]
    toolchain: Literal["arm-none-eabi", "host"]
    flags: tuple[Text, ...]
    stack_bytes: Word
    memory: Memory | None = None
    uart: Uart | None = None
    emulator: Emulator | None = None
    flash_target: Text | None = None

    @property
    def is_host(self) -> bool:
        """Whether firmware for it is a program of this computer."""
        return self.toolchain == "host"


def list_boards() -> tuple[str, ...]:
    """Return the names of all boards, sorted."""
    return tuple(sorted(path.stem for path in (firmware_dir() / "boards").glob("*.toml")))


def load_board(name: str) -> Board:
    """Read ``firmware/boards/<name>.toml``.

    Raises:
        InputError: there is no such board, or its file is malformed.
    """
    if name not in list_boards():
        raise InputError(_unknown_board(name))
    file = firmware_dir() / "boards" / f"{name}.toml"
    try:
        return _board(name, read_toml(file, "lines of key = value"))
    except MalformedError as error:
        raise InputError(
            f"firmware/boards/{name}.toml is malformed: {error}; {PAGE} says what each key means"
        ) from None


def _unknown_board(name: str) -> str:
    names = list_boards()
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{nearest[0]}'? " if nearest else ""
    return f"there is no board '{name}': {hint}Known boards are {', '.join(names)}"


def _board(name: str, content: dict[str, Any]) -> Board:
    """Hold the content of a file to the types of Board, and to what they cannot say."""
    if "name" in content:
        raise MalformedError("key 'name' is unknown: a board has the name of its file")
    named = {"name": name, **content}
    try:
        board = msgspec.convert(named, Board)
    except msgspec.ValidationError as error:
        raise MalformedError(explain(error, named, Board)) from error
    if board.memory is None and not board.is_host:
        raise MalformedError("key 'memory' is missing, expected a table of flash and ram")
    if board.uart is not None and board.uart.driver not in _drivers():
        known = ", ".join(_drivers())
        raise MalformedError(f"key 'uart.driver' is '{board.uart.driver}', expected one of {known}")
    return board


def _drivers() -> list[str]:
    """Names of the serial ports that the runner can drive."""
    sources = (firmware_dir() / "src").glob("uart_*.c")
    return sorted(path.stem.removeprefix("uart_") for path in sources)
