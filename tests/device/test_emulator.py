from pathlib import Path

import numpy as np
import pytest
from firmware_modules import LOOP, affine_module, make_module
from known_boards import EMULATED, EMULATED_WITH_UART, RUNNABLE

from tinyml.device.qemu import run_firmware
from tinyml.errors import DeviceError, InputError, ToolchainError
from tinyml.firmware.boards import CONSOLES, Board, load_board
from tinyml.firmware.build import build_firmware

# Every way samples reach firmware: files, a debugger, a serial port.
WAYS = [("host", "semihosting"), *(("mps2-an386", console) for console in CONSOLES)]


def samples_of(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 4), np.uint8)


def rounds(*counts: int) -> bytes:
    return np.array(counts, "<u4").tobytes()


@pytest.mark.parametrize("board", RUNNABLE)
def test_every_board_computes_every_sample(tmp_path, board):
    build = build_firmware(affine_module(), load_board(board), tmp_path)
    samples = samples_of(101)

    result = run_firmware(build, samples)

    np.testing.assert_array_equal(result.outputs, 2 * samples + 1)
    assert result.samples == 101


@pytest.mark.parametrize(
    ("board", "console"),
    [
        *((name, "semihosting") for name in EMULATED),
        *((name, "uart") for name in EMULATED_WITH_UART),
    ],
)
def test_an_empty_invoke_reads_about_zero_instructions(tmp_path, board, console):
    module = make_module("    return 0;")
    build = build_firmware(module, load_board(board), tmp_path, console=console)

    result = run_firmware(build, samples_of(3))

    assert 0 <= result.instructions_min <= result.instructions_max <= 6


@pytest.mark.parametrize("board", EMULATED)
def test_instructions_are_exact_to_a_handful_over_loops_of_known_length(tmp_path, board):
    check_loops(load_board(board), tmp_path, 10, 1000, 10**6)


# The fastest and the slowest clock, Helium, and a core without DSP. Measured on these: the error
# over 2e8 instructions is at most 2 (netduinoplus2, whose SysTick wraps 128 times), else 0.
@pytest.mark.parametrize("board", ["microbit", "mps2-an386", "mps3-an547", "netduinoplus2"])
def test_instructions_are_exact_to_a_handful_where_the_counter_wraps(tmp_path, board):
    check_loops(load_board(board), tmp_path, 10**8)


def check_loops(board: Board, folder: Path, *counts: int) -> None:
    """Two instructions a round, and what is around them."""
    build = build_firmware(make_module(LOOP), board, folder)
    around = run_firmware(build, rounds(1)).instructions_per_inference - 2
    for count in counts:
        measured = run_firmware(build, rounds(count)).instructions_per_inference
        assert abs(measured - around - 2 * count) <= 4


def test_instructions_are_reported_as_mean_minimum_and_maximum(tmp_path):
    build = build_firmware(make_module(LOOP), load_board("mps2-an386"), tmp_path)
    around = run_firmware(build, rounds(1)).instructions_per_inference - 2

    result = run_firmware(build, rounds(100, 200, 600))

    counts = result.instructions_min, result.instructions_per_inference, result.instructions_max
    np.testing.assert_allclose(np.subtract(counts, around), (200, 600, 1200), atol=2)


def test_parallel_emulators_give_what_one_gives(tmp_path):
    module = make_module(LOOP.replace("return 0", "out[0] = (uint8_t)(3 * in[0]);\n    return 0"))
    build = build_firmware(module, load_board("mps2-an386"), tmp_path)
    samples = rounds(*range(1, 8), 12_000_000)

    serial = run_firmware(build, samples, jobs=1)
    parallel = run_firmware(build, samples, jobs=3)

    np.testing.assert_array_equal(parallel.outputs, serial.outputs)
    assert parallel.instructions_per_inference == serial.instructions_per_inference
    assert parallel.instructions_max == serial.instructions_max
    assert parallel.stack_bytes == serial.stack_bytes


def test_the_host_counts_neither_instructions_nor_stack(tmp_path):
    build = build_firmware(affine_module(), load_board("host"), tmp_path)

    result = run_firmware(build, samples_of(2))

    assert result.instructions_per_inference is None
    assert result.instructions_min is None
    assert result.instructions_max is None
    assert result.stack_bytes is None


def test_the_stack_high_water_shows_what_the_model_uses(tmp_path):
    def stack_bytes(buffer_bytes: int) -> int:
        module = make_module(
            f"    volatile uint8_t buffer[{buffer_bytes}];\n"
            "    buffer[0] = in[0];\n    return buffer[0] * 0;"
        )
        build = build_firmware(module, load_board("mps2-an386"), tmp_path)
        return run_firmware(build, bytes(4)).stack_bytes

    assert stack_bytes(3000) - stack_bytes(1000) == 2000


def test_progress_ends_with_all_samples_done(tmp_path):
    build = build_firmware(affine_module(), load_board("host"), tmp_path)
    seen: list[int] = []

    run_firmware(build, samples_of(10), on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == 10


@pytest.mark.parametrize(("board", "console"), WAYS)
def test_a_failing_layer_is_named_with_its_sample(tmp_path, board, console):
    module = make_module("    return in[0] == 5 ? 7 : 0;")
    build = build_firmware(module, load_board(board), tmp_path, console=console)
    samples = np.arange(8, dtype=np.uint8).repeat(4).reshape(8, 4)

    with pytest.raises(DeviceError, match="failed in layer 7, at sample 5") as failure:
        run_firmware(build, samples, jobs=2)

    assert failure.value.exit_code == 3


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("board", ["microbit", "mps2-an386", "mps2-an505", "mps3-an547"])
def test_a_processor_fault_is_reported_with_its_function(tmp_path, board, console):
    module = make_module("    __builtin_trap();")
    build = build_firmware(module, load_board(board), tmp_path, console=console)

    with pytest.raises(DeviceError, match="HardFault in function tiny_invoke at address 0x"):
        run_firmware(build, bytes(4))


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("board", ["microbit", "mps2-an386", "mps2-an505", "mps3-an547"])
def test_a_stack_overflow_is_told_from_other_faults(tmp_path, board, console):
    module = make_module(
        "    return deep(in, 10000);",
        declarations="int deep(volatile uint8_t *above, int levels);\n"
        "int deep(volatile uint8_t *above, int levels)\n{\n    volatile uint8_t here[64];\n"
        "    here[0] = *above;\n    return levels ? deep(here, levels - 1) + here[0] : 0;\n}",
    )
    build = build_firmware(module, load_board(board), tmp_path, console=console)

    with pytest.raises(DeviceError, match="overflowed its stack"):
        run_firmware(build, bytes(4))


@pytest.mark.parametrize("console", CONSOLES)
def test_a_processor_lockup_is_reported(tmp_path, console):
    no_vectors = "    *(volatile uint32_t *)0xE000ED08u = 0xF0000000u; /* VTOR */\n"
    module = make_module(no_vectors + "    __builtin_trap();")
    build = build_firmware(module, load_board("mps2-an386"), tmp_path, console=console)

    with pytest.raises(DeviceError, match=r"SIGABRT .*Lockup"):
        run_firmware(build, bytes(4))


def test_a_crash_on_the_host_names_the_signal(tmp_path):
    build = build_firmware(make_module("    __builtin_trap();"), load_board("host"), tmp_path)

    with pytest.raises(DeviceError, match="SIGILL"):
        run_firmware(build, bytes(4))


@pytest.mark.parametrize("console", CONSOLES)
def test_firmware_that_ends_early_is_reported(tmp_path, console):
    module = make_module(
        "    if (in[0] == 1)\n    {\n        io_exit(0);\n    }\n    return 0;",
        declarations='#include "io.h"',
    )
    build = build_firmware(module, load_board("mps2-an386"), tmp_path, console=console)

    with pytest.raises(DeviceError, match="ended with status 0 before it had done its 2 samples"):
        run_firmware(build, bytes([0, 0, 0, 0, 1, 0, 0, 0]), jobs=1)


@pytest.mark.parametrize(("board", "console"), WAYS)
def test_firmware_that_hangs_is_stopped(tmp_path, board, console):
    module = make_module(
        "    volatile int forever = 1;\n    while (forever)\n    {\n    }\n    return 0;"
    )
    build = build_firmware(module, load_board(board), tmp_path, console=console)

    with pytest.raises(DeviceError, match=r"hangs: no sample was finished in 0\.5 seconds"):
        run_firmware(build, bytes(4), timeout=0.5)


@pytest.mark.parametrize("console", CONSOLES)
def test_an_image_qemu_cannot_load_is_reported(tmp_path, console):
    build = build_firmware(affine_module(), load_board("mps2-an386"), tmp_path, console=console)
    build.elf.write_bytes(b"")

    with pytest.raises(DeviceError, match="ended with"):
        run_firmware(build, bytes(4), timeout=5)


def test_a_missing_qemu_names_its_debian_package(tmp_path, monkeypatch):
    build = build_firmware(affine_module(), load_board("mps2-an386"), tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolchainError, match="apt install qemu-system-arm") as missing:
        run_firmware(build, bytes(4))

    assert missing.value.exit_code == 3


@pytest.mark.parametrize("samples", [b"", b"12345", np.zeros((2, 4), np.int8)])
def test_samples_that_do_not_fill_the_inputs_are_refused(tmp_path, samples):
    build = build_firmware(affine_module(), load_board("host"), tmp_path)

    with pytest.raises(InputError, match="multiple of the 4 bytes"):
        run_firmware(build, samples)
