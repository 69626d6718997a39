"""The computer's end of the serial line: serves a firmware's files, frame by frame.

``docs/serial-line.md`` describes the frames; ``firmware/src/serial_link.c`` is the board's end.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyml.errors import DeviceError
from tinyml.files import reporting_os_errors

READ, DATA, WRITE, EXIT = b"R", b"D", b"W", b"X"
# By the letter a frame names them with; output.bin grows as the board writes.
INPUT = b"i"
WRITTEN = {b"o": "output.bin", b"r": "result.txt"}

# Kind, file, sequence number, value: least significant bytes first.
HEADER = struct.Struct("<ccHI")
CRC = struct.Struct("<I")
SEQUENCE_NUMBERS = 1 << 16


class Line(Protocol):
    """A serial line to a board that has just started, or will."""

    def receive(self) -> bytes:
        """Wait for the next bytes; none where the line has ended."""

    def send(self, data: bytes) -> None:
        """Send all bytes.

        Raises LineEndedError where nobody receives them any more.
        """


class LineEndedError(DeviceError):
    """The line ended before the firmware did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame; ``value`` is bytes wanted, payload bytes or an exit status, by its kind."""

    kind: bytes
    file: bytes
    sequence: int
    value: int
    payload: bytes


def serve(line: Line, folder: Path) -> int:
    """Serve the files in ``folder`` until the firmware ends, and return its exit status.

    The firmware reads ``input.bin`` and writes ``output.bin`` and ``result.txt``, as it does over
    semihosting.

    Raises:
        DeviceError: a frame is damaged, missing or asks for what there is not.
        LineEndedError: the line ends first.
        InputError: a file cannot be written.
    """
    frames = _Frames(line)
    with ExitStack() as files:
        source = files.enter_context((folder / "input.bin").open("rb"))
        written = {
            letter: files.enter_context((folder / name).open("wb", buffering=0))
            for letter, name in WRITTEN.items()
        }
        while (frame := frames.next()).kind != EXIT:
            if frame.kind == WRITE and frame.file in written:
                with reporting_os_errors(folder / WRITTEN[frame.file]):
                    written[frame.file].write(frame.payload)
            elif frame.kind == READ and frame.file == INPUT:
                line.send(_answer(frame, source.read(frame.value)))
            else:
                raise DeviceError(
                    f"frame {frame.sequence} from the board asks for {frame.kind!r} of file "
                    f"{frame.file!r}, which there is not: build its firmware again"
                )
    return frame.value


def _answer(request: Frame, payload: bytes) -> bytes:
    header = HEADER.pack(DATA, request.file, request.sequence, len(payload))
    return _block(header) + _block(payload)


def _block(content: bytes) -> bytes:
    return content + CRC.pack(zlib.crc32(content))


def _starts_run(block: bytes) -> bool:
    header = block[: HEADER.size]
    sequence: int = HEADER.unpack(header)[2]
    return sequence == 0 and block == _block(header)


class _Frames:
    """The frames a board sends, checked and in order."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._received = bytearray()
        self._count = 0

    def next(self) -> Frame:
        """Wait for the next frame that is not a repeated one."""
        if self._count == 0:
            self._skip_noise()
        while self._is_repeated(frame := self._frame()):
            pass
        if frame.sequence != self._count % SEQUENCE_NUMBERS:
            raise DeviceError(
                f"frame {frame.sequence} came from the board where frame {self._count} was "
                "expected: bytes were lost on the serial line"
            )
        self._count += 1
        return frame

    def _is_repeated(self, frame: Frame) -> bool:
        """A READ is sent again where the answer takes long; it has been answered."""
        return frame.kind == READ and frame.sequence == (self._count - 1) % SEQUENCE_NUMBERS

    def _skip_noise(self) -> None:
        """Drop what is no first frame: a boot loader's greeting, noise, the end of an older run."""
        while not _starts_run(self._peek(HEADER.size + CRC.size)):
            del self._received[0]

    def _frame(self) -> Frame:
        kind, file, sequence, value = HEADER.unpack(self._take_block(HEADER.size))
        payload = self._take_block(value) if kind == WRITE else b""
        return Frame(kind=kind, file=file, sequence=sequence, value=value, payload=payload)

    def _take_block(self, size: int) -> bytes:
        block = self._peek(size + CRC.size)
        del self._received[: len(block)]
        content, crc = block[:size], CRC.unpack(block[size:])[0]
        if crc != zlib.crc32(content):
            raise DeviceError(
                f"frame {self._count} from the board is damaged: its CRC-32 is "
                f"{zlib.crc32(content):#010x}, expected {crc:#010x}; check the wiring and the "
                "baud rate"
            )
        return content

    def _peek(self, size: int) -> bytes:
        """Wait for ``size`` bytes and leave them."""
        while len(self._received) < size:
            received = self._line.receive()
            if not received:
                raise LineEndedError(
                    f"the serial line ended in frame {self._count}, before the firmware did: "
                    "is the board still connected?"
                )
            self._received += received
        return bytes(self._received[:size])
