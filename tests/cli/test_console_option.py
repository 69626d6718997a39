import json
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("workplace")

CONSOLES = ("semihosting", "uart")
BOARD = ("--board", "mps2-an386")


def results(tinyml, *command: str) -> dict[str, object]:
    """What a command writes as JSON."""
    called = tinyml(*command, *BOARD, "--json", "result.json")
    assert (called.code, called.err) == (0, "")
    return json.loads(Path("result.json").read_text())


def test_run_gives_the_same_over_either_console(tinyml):
    outputs, counts = [], []
    for console in CONSOLES:
        command = ("run", "int8.tflite", "--input", "x.npy", "-o", f"{console}.npy")
        counts.append(results(tinyml, *command, "--console", console))
        outputs.append(np.load(f"{console}.npy"))

    np.testing.assert_array_equal(*outputs)
    instructions = [key for key in counts[0] if key.startswith("instructions")]
    assert [counts[0][key] for key in instructions] == [counts[1][key] for key in instructions]


def test_compare_gives_the_same_over_either_console(tinyml):
    debugger, uart = (
        results(tinyml, "compare", "int8.tflite", "--data", "data.npz", "--console", console)
        for console in CONSOLES
    )

    assert uart["passed"] is True
    assert uart["compared_bytes"] == debugger["compared_bytes"] == 36
    assert uart["instructions_per_inference"] == debugger["instructions_per_inference"]


@pytest.mark.parametrize("console", CONSOLES)
def test_flash_boots_what_build_wrote_for_either_console(tinyml, console):
    built = results(tinyml, "build", "int8.tflite", "-o", "out", "--console", console)

    called = tinyml("flash", "out/int8.elf", *BOARD)

    assert built["console"] == console
    assert (called.code, called.err) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        ("build", "int8.tflite", "-o", "out"),
        ("run", "int8.tflite", "--input", "x.npy", "-o", "out.npy"),
        ("compare", "int8.tflite", "--data", "data.npz"),
    ],
)
def test_a_board_without_a_uart_is_wrong_usage(tinyml, command):
    called = tinyml(*command, "--board", "host", "--console", "uart")

    assert called.code == 2
    assert called.err.startswith("error: board 'host' has no UART")
    assert list(Path().glob("out*")) == []
