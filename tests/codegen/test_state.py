"""A model that keeps something: its C, and the firmware that runs it."""

import numpy as np
import pytest
from graphs import small_int8
from host_program import build_program, run_program
from modules import module_of
from stateful import FIRST, echo, float_echo

from tinyml.device.qemu import run_firmware
from tinyml.errors import ModelError
from tinyml.evaluate.oracle import run_reference
from tinyml.export.onnx import write_onnx
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.ops.contract.c import PORTABLE
from tinyml.report.facts import describe_model

TWO_STREAMS = """
#include <stdio.h>
#include "echo.h"

static uint8_t arena[ECHO_ARENA_BYTES] __attribute__((aligned(ECHO_ARENA_ALIGNMENT)));

int main(void)
{
    static echo_state streams[2];
    echo_init_state(&streams[0]);
    echo_init_state(&streams[1]);
    for (int step = 0; fread(echo_input(arena), 1, ECHO_INPUT_BYTES, stdin); step++) {
        if (echo_invoke(arena, &streams[step % 2])) return 99;
        fwrite(echo_output(arena), 1, ECHO_OUTPUT_BYTES, stdout);
    }
    return 0;
}
"""


def steps(count: int) -> np.ndarray:
    return np.arange(count * FIRST.size, dtype=np.int8).reshape(count, *FIRST.shape)


def test_two_streams_never_share_their_state(tmp_path):
    inputs = steps(6)
    module = module_of(echo(), "echo", PORTABLE)
    program = build_program([module], TWO_STREAMS, tmp_path)

    outputs = np.frombuffer(run_program(program, inputs.tobytes()), np.int8).reshape(inputs.shape)

    assert np.array_equal(outputs, np.stack([FIRST, FIRST, *inputs[:4]]))


def test_the_oracle_takes_samples_as_the_steps_of_one_stream():
    inputs = steps(4)

    (outputs,) = run_reference(echo(), [inputs])

    assert np.array_equal(outputs, np.stack([FIRST, *inputs[:3]]))


def test_firmware_takes_samples_as_the_steps_of_one_stream_whatever_the_jobs(tmp_path):
    inputs = steps(4)
    module = module_of(echo(), "echo", PORTABLE)
    build = build_firmware(module, load_board("mps2-an386"), tmp_path / "fw")

    result = run_firmware(build, inputs.tobytes(), jobs=4)

    assert build.state_bytes == FIRST.nbytes
    assert result.outputs.tobytes() == np.stack([FIRST, *inputs[:3]]).tobytes()


def test_a_model_with_state_can_be_inspected_and_is_no_onnx():
    assert [layer.operator for layer in describe_model(echo()).layers] == [
        "READ_VARIABLE",
        "ASSIGN_VARIABLE",
    ]
    with pytest.raises(ModelError, match="ONNX has no state"):
        write_onnx(echo())


def test_float_state_cannot_be_quantized():
    graph = float_echo()

    with pytest.raises(ModelError, match="keeps float state cannot be quantized here"):
        graph.ops[0].quantization_rule(graph)


def test_the_c_of_a_model_without_state_has_nothing_of_it():
    module = module_of(small_int8(), "small", PORTABLE, cmsis_nn=5)

    assert module.state_bytes == 0
    assert not any("state" in text or "string.h" in text for text in module.files.values())
