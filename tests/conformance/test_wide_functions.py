"""Functions of int16, at every value that it has."""

from pathlib import Path

import numpy as np
import pytest
from modules import module_of
from references import references_of
from single_operator import OUTPUT, SOURCE, single_operator

from tinyml.device.qemu import run_firmware
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.ir.graph import DType, QuantParams, Tensor
from tinyml.ops.abs import Abs
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.operator import Operator
from tinyml.ops.exp import Exp
from tinyml.ops.leaky_relu import LeakyRelu
from tinyml.ops.logistic import Logistic
from tinyml.ops.tanh import Tanh
from tinyml.runtime.tflite import run_tflite

NAMES = {"inputs": (SOURCE,), "outputs": (OUTPUT,)}
EVERY_INT16 = np.arange(-32768, 32768, dtype=np.int16).reshape(1, -1)
UNIT = 1 / 32768

CASES = (
    *(
        (kind(name="function", **NAMES), scale, UNIT)
        for kind in (Logistic, Tanh)
        for scale in (2.0**-12, 2.0**-11, 0.0003, 0.02)
    ),
    (Exp(name="function", **NAMES), 0.0003, 0.0003),
    (LeakyRelu(name="function", **NAMES, alpha=0.1), 0.001, 0.0007),
    (Abs(name="function", **NAMES), 0.001, 0.0017),
)


@pytest.mark.parametrize(("op", "source", "output"), CASES)
def test_every_int16_gives_the_reference_kernels_output(op: Operator, source, output, tmp_path):
    tensor = Tensor(SOURCE, (1, 65536), DType.INT16, QuantParams.per_tensor(source, 0))
    graph = single_operator(op, [tensor], QuantParams.per_tensor(output, 0))
    board = load_board("host")

    build = build_firmware(
        module_of(graph, "function", frozenset([Isa(board.isa)])),
        board,
        Path(tmp_path),
    )
    got = run_firmware(build, EVERY_INT16.view(np.uint8)).outputs.view(np.int16)

    for runtime in references_of(graph):
        (expected,) = run_tflite(write_tflite(graph), [EVERY_INT16[None]], runtime)
        np.testing.assert_array_equal(got.reshape(-1), expected.reshape(-1))
