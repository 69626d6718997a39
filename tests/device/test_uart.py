"""The UART: what semihosting gives, over a serial line that may disturb it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from firmware_modules import LOOP, affine_module, inverting_module, make_module
from known_boards import EMULATED_WITH_UART

from tinyml.device import boot
from tinyml.device import serial as serial_link
from tinyml.device.qemu import run_firmware
from tinyml.device.serial import Line, serve
from tinyml.errors import DeviceError, InputError
from tinyml.firmware.boards import CONSOLES, load_board
from tinyml.firmware.build import BuildResult, build_firmware
from tinyml.firmware.toolchain import run_tool
from tinyml.flash.emulator import flash_elf

SOCKET_LINE = boot._SocketLine
SAMPLES = np.arange(12, dtype=np.uint8).reshape(3, 4)

# Bytes of a header with its CRC-32, and of a frame with one of SAMPLES.
HEADER, FRAME = 12, 20

Disturb = Callable[[bytes], bytes]


def build(folder: Path, console: str, board: str = "mps2-an386", module=None) -> BuildResult:
    module = module or affine_module()
    return build_firmware(module, load_board(board), folder / console, console=console)


@dataclass
class DisturbedLine:
    """A real line, and what happens to the bytes on it."""

    line: Line
    to_computer: Disturb
    to_board: Disturb

    def receive(self) -> bytes:
        while data := self.line.receive():
            if changed := self.to_computer(data):
                return changed
        return b""

    def send(self, data: bytes) -> None:
        self.line.send(self.to_board(data))


def disturb(monkeypatch, *, to_computer: Disturb = bytes, to_board: Disturb = bytes) -> None:
    def disturbed(end):
        return DisturbedLine(SOCKET_LINE(end), to_computer, to_board)

    monkeypatch.setattr(boot, "_SocketLine", disturbed)


def at(positions: range, change: Disturb) -> Disturb:
    """Change single bytes, by their position among all that pass."""
    passed = count()

    def changed(data: bytes) -> bytes:
        each = (bytes([byte]) for byte in data)
        return b"".join(change(byte) if next(passed) in positions else byte for byte in each)

    return changed


def flip(byte: bytes) -> bytes:
    return bytes([byte[0] ^ 0x10])


def lose(_byte: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("board", EMULATED_WITH_UART)
def test_outputs_and_counts_over_the_uart_are_those_over_semihosting(tmp_path, board):
    module = make_module(LOOP.replace("return 0", "out[0] = (uint8_t)(3 * in[0]);\n    return 0"))
    samples = np.arange(1, 30, dtype="<u4").view(np.uint8)

    debugger, uart = (
        run_firmware(build(tmp_path, console, board, module), samples) for console in CONSOLES
    )

    np.testing.assert_array_equal(uart.outputs, debugger.outputs)
    assert uart.samples == debugger.samples
    assert uart.instructions_per_inference == debugger.instructions_per_inference
    assert uart.instructions_min == debugger.instructions_min
    assert uart.instructions_max == debugger.instructions_max
    assert abs(uart.stack_bytes - debugger.stack_bytes) < 100


def test_samples_of_more_than_64_kib_pass_in_both_directions(tmp_path):
    samples = np.random.default_rng(0).integers(0, 256, (2, 70_001), np.uint8)
    image = build(tmp_path, "uart", module=inverting_module(70_001))

    result = run_firmware(image, samples)

    np.testing.assert_array_equal(result.outputs, samples ^ 0xFF)


@pytest.mark.parametrize("board", EMULATED_WITH_UART)
def test_an_image_for_the_uart_holds_no_semihosting_call(tmp_path, board):
    breakpoints = {
        console: run_tool(["arm-none-eabi-objdump", "-d", build(tmp_path, console, board).elf])
        .lower()
        .count("\tbkpt")
        for console in CONSOLES
    }

    assert breakpoints["semihosting"] > 0
    assert breakpoints["uart"] == 0


@pytest.mark.parametrize("board", EMULATED_WITH_UART)
def test_a_model_adds_as_much_to_either_image(tmp_path, board):
    debugger, uart = (build(tmp_path, console, board) for console in CONSOLES)

    # Of the bytes that align the arena, some may belong to the runner.
    assert abs(uart.flash_bytes - debugger.flash_bytes) <= 8
    assert abs(uart.ram_bytes - debugger.ram_bytes) < 16


@pytest.mark.parametrize("board", EMULATED_WITH_UART)
def test_the_runner_stays_small_with_a_uart(tmp_path, board):
    image = build(tmp_path, "uart", board)

    assert image.image.flash_bytes - image.flash_bytes < 2304
    assert image.image.ram_bytes - image.ram_bytes < 64


def test_a_board_without_a_uart_is_refused(tmp_path):
    with pytest.raises(InputError, match="'host' has no UART: choose the console 'semihosting'"):
        build(tmp_path, "uart", "host")


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("board", ["microbit", "mps2-an386", "netduinoplus2"])
def test_flash_boots_an_image_with_either_console(tmp_path, board, console):
    flash_elf(build(tmp_path, console, board).elf, load_board(board))


def test_an_image_that_hangs_does_not_come_up(tmp_path, monkeypatch):
    monkeypatch.setattr("tinyml.flash.emulator.BOOT_SECONDS", 0.5)
    disturb(monkeypatch, to_board=lambda _: b"")

    with pytest.raises(DeviceError, match=r"did not come up on mps2-an386: .* in 0\.5 seconds"):
        flash_elf(build(tmp_path, "uart").elf, load_board("mps2-an386"))


def test_noise_before_the_first_frame_is_skipped(tmp_path, monkeypatch):
    noise = b"boot loader 1.0\r\n\x00\xff" + b"R" * 20
    disturb(monkeypatch, to_computer=at(range(1), lambda first: noise + first))

    result = run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1)

    np.testing.assert_array_equal(result.outputs, 2 * SAMPLES + 1)


def test_a_board_asks_again_until_it_is_answered(tmp_path, monkeypatch):
    held = bytearray()
    asked_again = []

    def hold_three_frames(data: bytes) -> bytes:
        if asked_again:
            return data
        held.extend(data)
        if len(held) < 3 * HEADER:
            return b""
        asked_again.append(held[:HEADER] == held[HEADER : 2 * HEADER] == held[2 * HEADER :])
        return bytes(held)

    disturb(monkeypatch, to_computer=hold_three_frames)

    result = run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1)

    assert asked_again == [True]
    np.testing.assert_array_equal(result.outputs, 2 * SAMPLES + 1)


@pytest.mark.parametrize("position", [0, 1, 2, 4, 8, 12, 16])
def test_a_frame_damaged_on_its_way_to_the_computer_is_told(tmp_path, monkeypatch, position):
    first_output = HEADER + position
    disturb(monkeypatch, to_computer=at(range(first_output, first_output + 1), flip))

    with pytest.raises(DeviceError, match=r"^model 'tiny' on .*: frame 1 .* is damaged: .*baud"):
        run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1)


@pytest.mark.parametrize("position", [0, 1, 2, 4, 8, 12, 16])
def test_a_frame_damaged_on_its_way_to_the_board_is_told(tmp_path, monkeypatch, position):
    second_sample = FRAME + position
    disturb(monkeypatch, to_board=at(range(second_sample, second_sample + 1), flip))

    with pytest.raises(DeviceError, match="received a damaged frame: check the serial line"):
        run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1)


def test_a_byte_lost_on_its_way_to_the_computer_is_told(tmp_path, monkeypatch):
    disturb(monkeypatch, to_computer=at(range(HEADER + 14, HEADER + 15), lose))

    with pytest.raises(DeviceError, match="frame 1 from the board is damaged"):
        run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1)


def test_a_frame_lost_on_its_way_to_the_computer_is_told(tmp_path, monkeypatch):
    disturb(monkeypatch, to_computer=at(range(HEADER, HEADER + FRAME), lose))

    with pytest.raises(DeviceError, match=r"frame 2 came .* where frame 1 .* bytes were lost"):
        run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1)


def test_a_byte_lost_on_its_way_to_the_board_runs_into_the_time_out(tmp_path, monkeypatch):
    disturb(monkeypatch, to_board=at(range(14, 15), lose))

    with pytest.raises(DeviceError, match=r"hangs: no sample was finished in 0\.5 seconds"):
        run_firmware(build(tmp_path, "uart"), SAMPLES, jobs=1, timeout=0.5)


def recorded_run(folder: Path, monkeypatch) -> bytes:
    """All that a board sends in a run of one sample."""
    sent = bytearray()

    def record(data: bytes) -> bytes:
        sent.extend(data)
        return data

    disturb(monkeypatch, to_computer=record)
    run_firmware(build(folder, "uart"), SAMPLES[:1], jobs=1)
    return bytes(sent)


@dataclass
class RecordedLine:
    """A line on which a recorded run arrives."""

    sent: bytes

    def receive(self) -> bytes:
        sent, self.sent = self.sent, b""
        return sent

    def send(self, data: bytes) -> None:
        del data


def test_a_flipped_bit_and_an_early_end_anywhere_are_errors(tmp_path, monkeypatch):
    sent = recorded_run(tmp_path, monkeypatch)
    (tmp_path / "input.bin").touch()
    places = range(len(sent))
    flipped = [sent[:i] + bytes([sent[i] ^ (1 << i % 8)]) + sent[i + 1 :] for i in places]
    cut = [sent[:length] for length in places]

    assert serve(RecordedLine(sent), tmp_path) == 0
    for damaged in flipped + cut:
        with pytest.raises(DeviceError):
            serve(RecordedLine(damaged), tmp_path)


def test_a_line_that_ends_early_says_in_which_frame(tmp_path, monkeypatch):
    sent = recorded_run(tmp_path, monkeypatch)
    (tmp_path / "input.bin").touch()

    with pytest.raises(DeviceError, match="the serial line ended in frame 1, before the firmware"):
        serve(RecordedLine(sent[: HEADER + 5]), tmp_path)


def test_a_frame_for_an_unknown_file_is_refused(tmp_path):
    header = serial_link.HEADER.pack(b"R", b"z", 0, 4)
    crc = serial_link.CRC.pack(zlib.crc32(header))
    (tmp_path / "input.bin").touch()

    with pytest.raises(DeviceError, match="asks for b'R' of file b'z', which there is not"):
        serve(RecordedLine(header + crc), tmp_path)
