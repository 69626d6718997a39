"""Names of the boards there are, by what tests can do with them."""

from tinyml.firmware.boards import list_boards, load_board

_BOARDS = [load_board(name) for name in list_boards()]

WITH_MEMORY = [board.name for board in _BOARDS if board.memory is not None]
WITH_UART = [board.name for board in _BOARDS if board.uart is not None]
EMULATED = [board.name for board in _BOARDS if board.emulator is not None]
EMULATED_WITH_UART = [name for name in EMULATED if name in WITH_UART]
RUNNABLE = [board.name for board in _BOARDS if board.is_host or board.emulator is not None]
