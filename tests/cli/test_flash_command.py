from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("workplace")


def test_flash_boots_a_model_on_an_emulated_board(tinyml):
    called = tinyml("flash", "int8.tflite", "--board", "mps2-an386")

    assert (called.code, called.err) == (0, "")
    assert "int8.tflite booted on mps2-an386 and ran once" in called.out


@pytest.mark.parametrize("board", ["host", "mps2-an386"])
def test_flash_boots_an_image_that_build_wrote(tinyml, board):
    tinyml("build", "int8.tflite", "--board", board, "-o", "out")

    called = tinyml("flash", "out/int8.elf", "--board", board)

    assert (called.code, called.err) == (0, "")
    assert called.out == f"out/int8.elf booted on {board}\n"


@pytest.mark.parametrize(
    ("built_for", "given", "reason"),
    [
        ("mps2-an386", "mps3-an547", "has no memory"),
        ("mps2-an386", "mps2-an385", "with a floating-point unit"),
        ("microbit", "mps2-an386", "without a floating-point unit"),
        ("mps2-an386", "host", "is an Arm image"),
        ("host", "mps2-an386", "is no 32-bit Arm image"),
    ],
)
def test_flash_refuses_an_image_for_another_board(tinyml, built_for, given, reason):
    tinyml("build", "int8.tflite", "--board", built_for, "-o", "out")

    called = tinyml("flash", "out/int8.elf", "--board", given)

    assert called.code == 2
    assert reason in called.err
    assert f"tinyml build MODEL --board {given}" in called.err


@pytest.mark.parametrize("size", [4, 20, 40, 60, 5000])
def test_flash_refuses_an_image_that_is_cut_short(tinyml, size):
    tinyml("build", "int8.tflite", "--board", "mps2-an385", "-o", "out")
    Path("cut.elf").write_bytes(Path("out/int8.elf").read_bytes()[:size])

    called = tinyml("flash", "cut.elf", "--board", "mps2-an385")

    assert called.code == 2
    assert "'cut.elf' is damaged or cut short; build it for this board" in called.err
    assert "tinyml build MODEL" in called.err


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "No such file"), ("hello", "is no ELF image")]
)
def test_flash_refuses_what_is_no_image(tinyml, content, complaint):
    if content is not None:
        Path("some.elf").write_text(content)

    called = tinyml("flash", "some.elf", "--board", "mps2-an386")

    assert called.code == 2
    assert complaint in called.err


def test_an_image_that_does_not_come_up_is_a_device_error(tinyml):
    tinyml("build", "int8.tflite", "--board", "mps2-an386", "-o", "out")
    image = bytearray(Path("out/int8.elf").read_bytes())
    vectors = image.index(Path("out/int8.bin").read_bytes()[:64])
    image[vectors + 4 : vectors + 8] = b"\xff" * 4  # the address execution starts at
    Path("broken.elf").write_bytes(image)

    called = tinyml("flash", "broken.elf", "--board", "mps2-an386")

    assert called.code == 3
    assert "did not come up on mps2-an386" in called.err
