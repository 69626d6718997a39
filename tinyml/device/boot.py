"""Boots an image on QEMU, or natively on the host, with its files in a folder."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinyml.device.serial import LineEndedError, serve
from tinyml.errors import InputError
from tinyml.firmware.boards import Board, Console
from tinyml.firmware.toolchain import find_tool

# -icount shift=6: every instruction takes 2^6 ns of the virtual time that drives SysTick.
_OPTIONS = "-display none -monitor none -nic none -icount shift=6,sleep=off"
_SEMIHOSTING = "-semihosting-config enable=on,target=native"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """An image that runs, or has run, with its files in ``folder``.

    ``ended`` holds the status the firmware ended with, minus a signal's number where its process
    was ended by one, or the DeviceError its serial line failed with.
    """

    folder: Path
    ended: Future[int]

    def status(self) -> int | None:
        """The status it ended with, None while it runs; raises DeviceError as ``ended`` does."""
        return self.ended.result() if self.ended.done() else None

    def messages(self) -> list[str]:
        """The lines the emulator has said."""
        return (self.folder / "messages.txt").read_text(errors="replace").splitlines()


def emulator_command(elf: Path, board: Board, consoles: Collection[Console]) -> list[str]:
    """Return the command that boots ``elf``, whose samples come over any of ``consoles``.

    Over semihosting it works on the files of its current folder; the board's UART is its standard
    input and output.

    Raises:
        InputError: the board has no emulator.
        ToolchainError: QEMU is missing.
    """
    image = str(elf.resolve())
    if board.is_host:
        return [image]
    emulator = board.emulator
    if emulator is None:
        raise InputError(f"board '{board.name}' has no emulator: choose a board that has one")
    qemu = str(find_tool("qemu-system-arm").path)
    semihosting = _SEMIHOSTING if "semihosting" in consoles else ""
    serial = "-serial null " * emulator.serial if "uart" in consoles else ""
    port = "stdio" if "uart" in consoles else "null"
    options = f"{_OPTIONS} {semihosting} {serial} -serial {port}".split()
    return [qemu, "-M", emulator.machine, *options, "-kernel", image]


@contextmanager
def booted(command: Sequence[str], folder: Path, *, serial: bool) -> Iterator[Booted]:
    """Start ``command`` in ``folder``; its standard input and output may be a serial line to serve.

    The process does not outlive the block.
    """
    ours, theirs = socket.socketpair()
    with ours, (folder / "messages.txt").open("wb") as messages:
        with theirs:  # closed here, the line ends where the emulator does
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=theirs.fileno() if serial else subprocess.DEVNULL,
                stdout=theirs.fileno() if serial else messages,
                stderr=messages,
            )
        with process, ThreadPoolExecutor(1) as pool:
            wait = partial(_serve, process, ours, folder) if serial else process.wait
            try:
                yield Booted(folder=folder, ended=pool.submit(wait))
            finally:
                process.kill()


def _serve(process: subprocess.Popen[bytes], line: socket.socket, folder: Path) -> int:
    """Firmware on a UART cannot end its emulator: that is done here."""
    try:
        return serve(_SocketLine(line), folder)
    except LineEndedError:
        return process.wait()
    finally:
        process.kill()


@dataclass(frozen=True, slots=True)
class _SocketLine:
    """The emulator's end of a serial line (see ``serial_link.Line``)."""

    end: socket.socket

    def receive(self) -> bytes:
        try:
            return self.end.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def send(self, data: bytes) -> None:
        try:
            self.end.sendall(data)
        except BrokenPipeError:
            raise LineEndedError("the emulator ended before the firmware did") from None
