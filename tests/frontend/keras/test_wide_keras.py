"""16x8 models as TensorFlow's converter makes them, on the device byte for byte."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from modules import module_of
from references import reference_of, references_of

from tinyml.device.qemu import run_firmware
from tinyml.evaluate.oracle import run_reference
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType
from tinyml.ops.contract.c import Isa
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import run_tflite

# One worker makes the models once; see wide_keras_models.py.
pytestmark = pytest.mark.xdist_group("wide keras")

SAMPLES = 16
NAMES = ["images", "rows", "rows_int32"]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wide_keras")
    script = Path(__file__).with_name("wide_keras_models.py")
    made = subprocess.run(
        [sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return folder


@pytest.mark.parametrize("board_name", ["host", "mps2-an386", "mps3-an547"])
@pytest.mark.parametrize("name", NAMES)
def test_the_device_gives_the_bytes_of_the_reference_kernels(models, name, board_name, tmp_path):
    file = (models / f"{name}.tflite").read_bytes()
    graph = read_tflite(file, name)
    source = graph.tensor(graph.inputs[0])
    rng = np.random.default_rng(3)
    samples = rng.integers(-32768, 32768, (SAMPLES, *source.shape)).astype(np.int16)
    board = load_board(board_name)
    module = module_of(prepare_for_device(graph), name, frozenset([Isa(board.isa)]))

    build = build_firmware(module, board, tmp_path)
    rows = samples.reshape(SAMPLES, -1).view(np.uint8)
    got = run_firmware(build, rows).outputs.view(np.int16)

    (ours,) = run_reference(prepare_for_device(graph), [samples])
    np.testing.assert_array_equal(got.reshape(ours.shape), ours)
    (expected,) = run_tflite(file, [samples], reference_of(graph))
    (written,) = run_tflite(write_tflite(graph), [samples], reference_of(graph))
    np.testing.assert_array_equal(written, expected)
    off = np.abs(got.reshape(expected.shape).astype(np.int64) - expected)
    assert off.max() <= (0 if references_of(graph) else 1)


def test_biases_have_the_type_the_converter_was_asked_for(models):
    for name, dtype in (("rows", DType.INT64), ("rows_int32", DType.INT32)):
        graph = read_tflite((models / f"{name}.tflite").read_bytes(), name)

        biases = [graph.tensor(op.inputs[2]) for op in graph.ops if len(op.present_inputs) == 3]
        assert {bias.dtype for bias in biases} == {dtype}
