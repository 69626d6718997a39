from collections.abc import Callable

import pytest
from known_boards import WITH_UART

import tinyml.firmware.boards as boards_module
from tinyml.errors import InputError
from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import Memory, MemoryRegion, list_boards, load_board


def test_the_boards_of_every_cortex_m_class_and_the_host_are_listed():
    isas = {load_board(name).isa for name in list_boards()}

    assert {"host", "mps2-an386", "mps2-an500", "mps3-an547"} <= set(list_boards())
    assert isas == {"scalar", "dsp", "mve"}


@pytest.mark.parametrize("name", list_boards())
def test_every_board_file_is_complete(name):
    board = load_board(name)

    assert board.name == name
    assert board.is_host or (board.memory is not None and board.stack_bytes >= 1024)


@pytest.mark.parametrize("name", WITH_UART)
def test_the_clock_of_every_uart_divides_into_its_bit_rate(name):
    uart = load_board(name).uart

    divisor = round(uart.clock_hz / uart.baud)

    assert abs(uart.clock_hz / divisor / uart.baud - 1) < 0.02  # what a receiver tolerates


def test_an_unknown_board_is_refused_with_the_nearest_name_and_the_list():
    with pytest.raises(InputError, match="did you mean 'mps2-an386'") as refusal:
        load_board("mps2_an386")

    assert all(name in str(refusal.value) for name in list_boards())


COMPLETE = """\
description = "mine"
cpu = "Cortex-M4"
isa = "dsp"
toolchain = "arm-none-eabi"
flags = ["-mcpu=cortex-m4"]
stack_bytes = 2048
memory.flash = { origin = 0, length = 1024 }
memory.ram = { origin = 4096, length = 1024 }
uart = { driver = "stm32", base = 0, clock_hz = 8_000_000, baud = 115_200 }
emulator = { machine = "mine", clock_hz = 1_000_000 }
"""


@pytest.fixture
def write_board(tmp_path, monkeypatch) -> Callable[[bytes], None]:
    """Write the file of a board called mine, the only one there is."""
    (tmp_path / "boards").mkdir()
    (tmp_path / "src").symlink_to(firmware_dir() / "src")
    monkeypatch.setattr(boards_module, "firmware_dir", lambda: tmp_path)
    return (tmp_path / "boards" / "mine.toml").write_bytes


def test_a_board_file_gives_its_values_and_leaves_the_rest_at_none(write_board):
    write_board(COMPLETE.encode())

    board = load_board("mine")

    assert (board.name, board.flags, board.stack_bytes) == ("mine", ("-mcpu=cortex-m4",), 2048)
    assert board.memory == Memory(
        flash=MemoryRegion(origin=0, length=1024), ram=MemoryRegion(origin=4096, length=1024)
    )
    assert (board.memory.vectors, board.uart.setup, board.flash_target) == (None, (), None)


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ('cpu = "Cortex-M4"', "cpu = 1", "key 'cpu' is 1, expected a string"),
        ('cpu = "Cortex-M4"', 'cpu = ""', "key 'cpu' is '', expected a string that is not empty"),
        ('cpu = "Cortex-M4"', "", "key 'cpu' is missing, expected a string"),
        ("flags = [", "flags = 'abc' #", "key 'flags' is 'abc', expected a list, each item a stri"),
        ("flags = [", "flags = [1,", "key 'flags[0]' is 1, expected a string"),
        ('"dsp"', '"neon"', "key 'isa' is 'neon', expected one of dsp, mve, scalar"),
        ("= 2048", "= true", "key 'stack_bytes' is true, expected an integer from 0 to 0xffffffff"),
        ("= 2048", "= -1", "key 'stack_bytes' is -1, expected an integer from 0"),
        ("= 8_000_000", "= 8e6", "key 'uart.clock_hz' is 8000000.0, expected an integer from 1"),
        ("baud = 115_200", "baud = 0", "key 'uart.baud' is 0, expected an integer from 1"),
        (", baud = 115_200", "", "key 'uart.baud' is missing, expected an integer"),
        ("baud =", "bauds = 1, baud =", "key 'uart.bauds' is unknown: did you mean 'baud'?"),
        ("stack_bytes", 'colour = "red"\nstack_bytes', "key 'colour' is unknown: Known keys"),
        ("stack_bytes", 'name = "my"\nstack_bytes', "key 'name' is unknown: a board has the na"),
        ('"stm32"', '"x"', "key 'uart.driver' is 'x', expected one of cmsdk, nrf51, stm32"),
        ("baud =", "setup = 1, baud =", "'uart.setup' is 1, expected a list, each item a table of"),
        (
            "baud =",
            "setup = [{ address = 0 }, { address = '1' }], baud =",
            "key 'uart.setup[1].address' is '1', expected an integer",
        ),
        ("memory.flash", "#", "key 'memory.flash' is missing, expected a table of origin, length"),
        ("\nmemory.", "\n#", "key 'memory' is missing, expected a table of flash and ram"),
        ("emulator = {", "emulator = [] #", "'emulator' is [], expected a table of machine, clock"),
        ('description = "mine"', "description = ", "it is no TOML (Invalid value"),
        ("mine", "m\udcffne", "byte 16 is no UTF-8"),
    ],
)
def test_a_malformed_board_file_is_refused_with_its_key(write_board, line, instead, complaint):
    assert line in COMPLETE
    write_board(COMPLETE.replace(line, instead).encode(errors="surrogateescape"))

    with pytest.raises(InputError) as refusal:
        load_board("mine")

    assert str(refusal.value).startswith("firmware/boards/mine.toml is malformed: ")
    assert complaint in str(refusal.value)
    assert str(refusal.value).endswith("; docs/adding-a-board.md says what each key means")
