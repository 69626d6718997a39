"""Whether a model fits a board is what a build of it says, to the byte."""

import pytest
from firmware_modules import make_module
from msgspec.structs import replace

from tinyml.codegen.module import CModule
from tinyml.errors import ModelError
from tinyml.firmware.boards import Board, load_board
from tinyml.firmware.build import build_firmware
from tinyml.firmware.fit import measure_fit

TABLE = "static const uint8_t table[5000] = {1};"
READ_TABLE = "    out[0] = table[in[0]];\n    return 0;"
# The linker aligns the ends of its sections to so many bytes.
ALIGNMENT = 4

every_kind = pytest.mark.parametrize("board_name", ["microbit", "mps2-an386", "mps3-an547"])


def module() -> CModule:
    return make_module(READ_TABLE, declarations=TABLE, arena_bytes=3000)


def with_lengths(board: Board, flash: int, ram: int) -> Board:
    assert board.memory is not None
    regions = {
        "flash": replace(board.memory.flash, length=flash),
        "ram": replace(board.memory.ram, length=ram),
    }
    return replace(board, memory=replace(board.memory, **regions))


@every_kind
def test_a_board_with_exactly_what_is_needed_is_large_enough(board_name, tmp_path):
    board = load_board(board_name)
    needed = measure_fit(module(), board)
    tight = with_lengths(board, needed.flash_bytes, needed.ram_bytes)

    assert measure_fit(module(), tight).fits
    build_firmware(module(), tight, tmp_path)


@every_kind
@pytest.mark.parametrize(("flash", "ram"), [(ALIGNMENT, 0), (0, ALIGNMENT)])
def test_a_board_with_less_of_either_memory_is_too_small(board_name, flash, ram, tmp_path):
    board = load_board(board_name)
    needed = measure_fit(module(), board)
    small = with_lengths(board, needed.flash_bytes - flash, needed.ram_bytes - ram)

    assert not measure_fit(module(), small).fits
    with pytest.raises(ModelError, match="does not fit"):
        build_firmware(module(), small, tmp_path)


@every_kind
def test_the_needed_ram_is_arena_state_stack_and_firmware(board_name, tmp_path):
    board = load_board(board_name)

    fit = measure_fit(module(), board)

    image = build_firmware(module(), board, tmp_path).image
    assert fit.ram_bytes == image.ram_bytes + board.stack_bytes
    assert (fit.arena_bytes, fit.state_bytes) == (3000, 0)
    assert 0 < fit.firmware_ram_bytes < 64


@every_kind
def test_what_is_needed_does_not_depend_on_what_is_there(board_name):
    board = load_board(board_name)

    large, small = measure_fit(module(), board), measure_fit(module(), with_lengths(board, 64, 64))

    assert (large.flash_bytes, large.ram_bytes) == (small.flash_bytes, small.ram_bytes)


def test_the_host_has_no_memory_to_fit():
    with pytest.raises(ValueError, match="no memory regions"):
        measure_fit(module(), load_board("host"))
