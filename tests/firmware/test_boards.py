import re

import pytest

import tinyml.firmware.boards as boards_module
from tinyml.errors import InputError
from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import list_boards, load_board


def test_the_boards_of_every_cortex_m_class_and_the_host_are_listed():
    isas = {load_board(name).isa for name in list_boards()}

    assert {"host", "mps2-an386", "mps2-an500", "mps3-an547"} <= set(list_boards())
    assert isas == {"scalar", "dsp", "mve"}


@pytest.mark.parametrize("name", list_boards())
def test_every_board_file_is_complete(name):
    board = load_board(name)

    assert board.name == name
    assert board.is_host or (board.memory is not None and board.stack_bytes >= 1024)


@pytest.mark.parametrize("name", [name for name in list_boards() if name != "host"])
def test_every_emulated_board_has_a_uart_whose_clock_divides_into_its_bit_rate(name):
    uart = load_board(name).uart

    divisor = round(uart.clock_hz / uart.baud)

    assert abs(uart.clock_hz / divisor / uart.baud - 1) < 0.02  # what a receiver tolerates


def test_an_unknown_board_is_refused_with_the_nearest_name_and_the_list():
    with pytest.raises(InputError, match="did you mean 'mps2-an386'") as refusal:
        load_board("mps2_an386")

    assert all(name in str(refusal.value) for name in list_boards())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("description = ", "Invalid value"),
        ('description = "no flags"', "flags"),
        ('flags = []\ncolour = "red"', "colour"),
        (
            "flags = []\nuart = { driver = 'x', base = 0, clock_hz = 1, baud = 1 }",
            "of cmsdk, nrf51",
        ),
        ("flags = []\nuart = { driver = 'x', base = 0 }", "clock_hz"),
        ("flags = []\nmemory = { ram = { origin = 0, length = 1 } }", "flash"),
    ],
)
def test_a_malformed_board_file_is_refused_by_name(tmp_path, monkeypatch, text, complaint):
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "mine.toml").write_text(text)
    (tmp_path / "src").symlink_to(firmware_dir() / "src")
    monkeypatch.setattr(boards_module, "firmware_dir", lambda: tmp_path)

    with pytest.raises(InputError, match=f"mine.toml is malformed: .*{re.escape(complaint)}"):
        load_board("mine")
