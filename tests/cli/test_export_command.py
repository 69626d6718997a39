import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tinyml.firmware.boards import load_board
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.frontend.load import load_model

pytestmark = pytest.mark.usefixtures("workplace")

COMPILE = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-c")


def compile_folder(folder: Path, compiler: str, *flags: str) -> None:
    include = find_cmsis_nn().include
    for source in sorted(folder.glob("*.c")):
        command = [compiler, *COMPILE, *flags, "-isystem", include, source.name, "-o", "/dev/null"]
        subprocess.run(command, cwd=folder, check=True)


@pytest.mark.parametrize("model", ["int8.tflite", "float.tflite", "two.tflite"])
def test_export_to_tflite_loses_nothing(tinyml, model):
    called = tinyml("export", model, "--format", "tflite", "-o", "copy.tflite")

    assert (called.code, called.err) == (0, "")
    original, copy = load_model(Path(model)), load_model(Path("copy.tflite"))
    assert copy.ops == original.ops
    assert copy.inputs == original.inputs
    assert copy.outputs == original.outputs


@pytest.mark.parametrize("model", ["int8.tflite", "float.tflite"])
def test_export_to_onnx_gives_a_model_that_onnx_runtime_runs(tinyml, model):
    called = tinyml("export", model, "--format", "onnx", "-o", "model.onnx")

    assert (called.code, called.err) == (0, "")
    onnx.checker.check_model(onnx.load("model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession("model.onnx")
    dtype = {"tensor(int8)": np.int8, "tensor(float)": np.float32}[session.get_inputs()[0].type]
    (scores,) = session.run(None, {"image": np.load("x.npy")[:1].astype(dtype)})
    assert (scores.shape, scores.dtype) == ((1, 3), dtype)


def test_exported_portable_c_compiles_for_every_class_of_core(tinyml):
    called = tinyml("export", "int8.tflite", "--format", "c", "-o", "c")

    assert (called.code, called.err) == (0, "")
    assert sorted(called.out.split()) == sorted(map(str, Path("c").iterdir()))
    assert {"int8.h", "int8.c", "int8_weights.c"} <= {path.name for path in Path("c").iterdir()}
    compile_folder(Path("c"), "gcc")
    for board in ("microbit", "mps2-an386", "mps3-an547"):
        compile_folder(Path("c"), "arm-none-eabi-gcc", *load_board(board).flags)


@pytest.mark.parametrize("board", ["host", "mps2-an386", "mps3-an547"])
def test_c_exported_for_a_board_compiles_for_it(tinyml, board):
    called = tinyml("export", "int8.tflite", "--format", "c", "-o", "c", "--board", board)

    target = load_board(board)
    assert called.code == 0
    compile_folder(Path("c"), "gcc" if target.is_host else "arm-none-eabi-gcc", *target.flags)


def test_exported_c_carries_tinymls_own_kernels_where_the_model_calls_them(tinyml):
    tinyml("export", "int8.tflite", "--format", "c", "-o", "c")

    names = {path.name for path in Path("c").iterdir()}
    text = Path("c/int8.c").read_text()
    assert ("tinyml_kernels.h" in text) == ("tinyml_kernels.h" in names)
    kernels = [name for name in names if name.startswith("tinyml_") and name.endswith(".c")]
    assert all(f"{name.removesuffix('.c')}(" in text for name in kernels)


def test_exported_c_has_no_header_that_nothing_includes(tinyml):
    tinyml("export", "int8.tflite", "--format", "c", "-o", "c")

    headers = {path.name for path in Path("c").glob("tinyml_*.h")}
    texts = [path.read_text() for path in Path("c").iterdir()]
    assert headers
    assert all(any(f'#include "{header}"' in text for text in texts) for header in headers)


def test_a_board_given_for_another_format_than_c_is_a_usage_error(tinyml):
    called = tinyml("export", "int8.tflite", "--format", "onnx", "-o", "m.onnx", "--board", "host")

    assert called.code == 2
    assert "--board tunes C" in called.err
