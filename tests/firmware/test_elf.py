from collections.abc import Callable
from pathlib import Path

import pytest
from firmware_modules import affine_module

from tinyml.errors import InputError
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.firmware.elf import check_image

# Where the table of segments begins, in the header of a 32-bit and of a 64-bit image.
TABLE = {"mps2-an385": slice(28, 32), "host": slice(32, 40)}
# More than the headers of either, and less than lies before the end of their code.
HEADERS_BYTES = 1000
ELF_CLASS, BYTE_ORDER, MACHINE = 4, 5, 18


@pytest.fixture(scope="module")
def image_of(tmp_path_factory) -> Callable[[str], bytearray]:
    """Build an image for a board and return its bytes."""

    def build(board: str) -> bytearray:
        folder = tmp_path_factory.mktemp(board) / "out"
        return bytearray(
            build_firmware(affine_module(), load_board(board), folder).elf.read_bytes()
        )

    return build


def refusal(image: bytes, board: str, folder: Path) -> str:
    path = folder / "some.elf"
    path.write_bytes(image)
    with pytest.raises(InputError) as error:
        check_image(path, load_board(board))
    return str(error.value)


@pytest.mark.parametrize("board", TABLE)
def test_an_image_whose_table_of_segments_lies_nowhere_is_damaged(image_of, tmp_path, board):
    image = image_of(board)
    image[TABLE[board]] = b"\xff" * len(image[TABLE[board]])

    assert "is damaged or cut short; build it for this board" in refusal(image, board, tmp_path)


@pytest.mark.parametrize("board", TABLE)
def test_an_image_that_ends_within_a_segment_is_cut_short(image_of, tmp_path, board):
    cut = image_of(board)[:HEADERS_BYTES]

    assert "is damaged or cut short; build it for this board" in refusal(cut, board, tmp_path)


@pytest.mark.parametrize(("place", "value"), [(ELF_CLASS, 2), (BYTE_ORDER, 2), (MACHINE, 243)])
def test_an_image_of_another_machine_is_not_taken_for_an_arm_one(image_of, tmp_path, place, value):
    image = image_of("mps2-an385")
    image[place] = value

    said = refusal(image, "mps2-an385", tmp_path)

    assert "tinyml build MODEL --board mps2-an385" in said
    assert "is no 32-bit Arm image" in said or "is damaged" in said
