"""Boards: one declarative file each, ``firmware/boards/<name>.toml``."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tinyml.errors import InputError
from tinyml.firmware import firmware_dir

# The words of a vector table: initial stack pointer and 15 system exceptions.
VECTOR_TABLE_BYTES = 64

# What carries samples in, outputs and the report out: the debugger (or emulator), or a serial port.
Console = Literal["semihosting", "uart"]
CONSOLES: tuple[Console, ...] = get_args(Console)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRegion:
    """A piece of the address space, in bytes."""

    origin: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Where the linker puts code and data.

    ``vectors`` is the address the core reads its vector table from; None is the start of flash.
    """

    flash: MemoryRegion
    ram: MemoryRegion
    vectors: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A 32-bit register to prepare: bits to clear, then bits to set."""

    address: int
    clear: int = 0
    set: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Uart:
    """The serial port samples can come in through.

    ``driver`` is the one in ``firmware/src/uart_<driver>.c``, ``clock_hz`` the clock its bit rate
    is divided from, ``setup`` the clocks and pins to prepare, in that order.
    """

    driver: str
    base: int
    clock_hz: int
    baud: int
    setup: tuple[Register, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """The QEMU machine that stands in for the board; ``clock_hz`` drives its SysTick.

    ``serial`` is which of the machine's serial ports, counted from 0, is the board's ``uart``.
    """

    machine: str
    clock_hz: int
    serial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything tinyml knows of a board.

    ``isa`` is what CMSIS-NN specialises on: plain C, the DSP extension or Helium (MVE).
    ``flags`` select the processor for the compiler. ``memory`` is None on the host, ``uart`` where
    we know of none, ``emulator`` where QEMU has no such machine, ``flash_target`` where pyOCD has
    no such target.
    """

    name: str
    description: str
    cpu: str
    isa: Literal["scalar", "dsp", "mve"]
    toolchain: Literal["arm-none-eabi", "host"]
    flags: tuple[str, ...]
    stack_bytes: int
    memory: Memory | None = None
    uart: Uart | None = None
    emulator: Emulator | None = None
    flash_target: str | None = None

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
    text = (firmware_dir() / "boards" / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return _board(name, tomllib.loads(text))
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"firmware/boards/{name}.toml is malformed: {error}") from None


def _unknown_board(name: str) -> str:
    names = list_boards()
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{nearest[0]}'? " if nearest else ""
    return f"there is no board '{name}': {hint}Known boards are {', '.join(names)}"


def _board(name: str, table: dict[str, Any]) -> Board:
    """Turn a parsed file into a Board; the constructors reject missing and unknown keys."""
    memory = table.pop("memory", None)
    uart = table.pop("uart", None)
    emulator = table.pop("emulator", None)
    return Board(
        name=name,
        flags=tuple(table.pop("flags")),
        memory=_memory(memory) if memory else None,
        uart=_uart(uart) if uart else None,
        emulator=Emulator(**emulator) if emulator else None,
        **table,
    )


def _memory(table: dict[str, Any]) -> Memory:
    return Memory(
        flash=MemoryRegion(**table.pop("flash")), ram=MemoryRegion(**table.pop("ram")), **table
    )


def _uart(table: dict[str, Any]) -> Uart:
    setup = tuple(Register(**register) for register in table.pop("setup", ()))
    uart = Uart(setup=setup, **table)
    sources = (firmware_dir() / "src").glob("uart_*.c")
    drivers = sorted(path.stem.removeprefix("uart_") for path in sources)
    if uart.driver not in drivers:
        raise ValueError(f"driver is '{uart.driver}', expected one of {', '.join(drivers)}")
    return uart
