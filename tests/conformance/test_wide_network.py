"""A 16x8 network of many operators, from float to the device."""

import numpy as np
import onnxruntime
import pytest
from graphs import (
    activation,
    conv_2d,
    float_weights,
    fully_connected,
    make_graph,
    reshape,
    softmax,
    spread,
)
from modules import module_of
from references import reference_of

from tinyml.device.qemu import run_firmware
from tinyml.evaluate.oracle import run_reference
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph
from tinyml.ir.verify import verify_float
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.batch_matmul import BatchMatMul
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.window import Padding
from tinyml.ops.logistic import Logistic
from tinyml.ops.mul import Mul
from tinyml.ops.resize_bilinear import ResizeBilinear
from tinyml.ops.softmax import WIDE_OUTPUT_QUANT
from tinyml.ops.tanh import Tanh
from tinyml.ops.transpose import Transpose
from tinyml.ops.transpose_conv import TransposeConv
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite


def names(output: str, *inputs: str) -> dict:
    return {"name": output, "inputs": inputs, "outputs": (output,)}


def float_network() -> Graph:
    """A swish, images that shrink and grow, their channels as rows that attend to each other."""
    ops = [
        conv_2d("conv", "image", "conv/w", "conv/b", padding=Padding.SAME),
        Logistic(**names("gate", "conv")),
        Mul(**names("swish", "conv", "gate"), activation=Activation.NONE),
        ResizeBilinear(
            **names("small", "swish"), size=(4, 4), align_corners=False, half_pixel_centers=True
        ),
        TransposeConv(
            **names("large", "small", "up/w", "up/b"),
            output_size=(8, 8),
            stride=(2, 2),
            padding=Padding.SAME,
            activation=Activation.NONE,
        ),
        Transpose(**names("channels", "large"), permutation=(0, 3, 1, 2)),
        reshape("rows", "channels", (3, 64)),
        fully_connected("features", "rows", "fc/w", "fc/b"),
        Tanh(**names("bounded", "features")),
        reshape("batch", "bounded", (1, 3, 5)),
        BatchMatMul(**names("scores", "batch", "batch"), adj_x=False, adj_y=True),
        softmax("attention", "scores"),
    ]
    shapes = {
        "image": (1, 8, 8, 2),
        **dict.fromkeys(("conv", "gate", "swish"), (1, 8, 8, 4)),
        "small": (1, 4, 4, 4),
        "large": (1, 8, 8, 3),
        "channels": (1, 3, 8, 8),
        "rows": (3, 64),
        **dict.fromkeys(("features", "bounded"), (3, 5)),
        "batch": (1, 3, 5),
        **dict.fromkeys(("scores", "attention"), (1, 3, 3)),
    }
    tensors = [
        *(activation(name, shape, None) for name, shape in shapes.items()),
        float_weights("conv/w", (4, 3, 3, 2), seed=1),
        float_weights("conv/b", (4,), seed=2),
        float_weights("up/w", (3, 3, 3, 4), seed=3),
        float_weights("up/b", (3,), seed=4),
        float_weights("fc/w", (5, 64), seed=5),
        float_weights("fc/b", (5,), seed=6),
    ]
    graph = make_graph(tensors, ops, ["image"], ["attention"], "wide")
    verify_float(graph)
    return graph


@pytest.fixture(scope="module")
def images():
    return np.stack([spread((1, 8, 8, 2), seed) for seed in range(8)]).astype(np.float32) / 127


@pytest.fixture(scope="module")
def wide(images):
    graph = float_network()
    table = calibrate(graph, [images], MinMax)
    return quantize_graph(graph, table, Scheme(activations=DType.INT16))


@pytest.fixture(scope="module")
def samples(wide, images):
    return quantize(images, wide.tensor("image").quant, DType.INT16)


@pytest.fixture(scope="module")
def expected(wide, samples):
    (integers,) = run_reference(prepare_for_device(wide), [samples])
    return integers


def test_the_network_is_close_to_the_float_network(images, expected):
    (real,) = run_tflite(write_tflite(float_network()), [images], reference_of(float_network()))

    np.testing.assert_allclose(dequantize(expected, WIDE_OUTPUT_QUANT), real, atol=0.02)


def test_the_network_is_read_back_as_it_was_written(wide):
    assert read_tflite(write_tflite(wide), wide.name) == wide


@pytest.mark.parametrize("board_name", ["host", "mps2-an386", "mps3-an547"])
def test_the_device_gives_the_bytes_of_the_reference(wide, samples, expected, board_name, tmp_path):
    board = load_board(board_name)
    module = module_of(prepare_for_device(wide), "wide", frozenset([Isa(board.isa)]))

    build = build_firmware(module, board, tmp_path)
    rows = samples.reshape(len(samples), -1).view(np.uint8)
    got = run_firmware(build, rows).outputs.view(np.int16)

    np.testing.assert_array_equal(got.reshape(expected.shape), expected)


def test_onnx_runtime_comes_close_to_the_reference(wide, samples, expected):
    session = onnxruntime.InferenceSession(write_onnx(wide))

    got = np.stack([session.run(None, {"image": sample})[0] for sample in samples])

    # Of 32768: thirteen were measured.
    np.testing.assert_allclose(got.astype(int), expected.astype(int), atol=40)
