"""Models with int16 activations as ONNX."""

import numpy as np
import onnx
import onnxruntime
import pytest
from graphs import small_float, spread
from references import reference_of

from tinyml.export.onnx import WIDE_OPSET, write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType
from tinyml.numerics.affine import quantize
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite


@pytest.fixture(scope="module")
def images():
    return np.stack([spread((1, 6, 6, 2), seed) for seed in range(8)]).astype(np.float32) / 127


@pytest.fixture(scope="module")
def wide(images):
    graph = small_float()
    table = calibrate(graph, [images], MinMax)
    return quantize_graph(graph, table, Scheme(activations=DType.INT16))


def test_a_16x8_model_passes_the_checker_with_the_first_opset_that_has_int16(wide):
    model = onnx.load_from_string(write_onnx(wide))

    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == WIDE_OPSET


def test_onnx_runtime_finds_the_classes_of_the_reference_in_a_16x8_model(wide, images):
    samples = quantize(images, wide.tensor("image").quant, DType.INT16)
    session = onnxruntime.InferenceSession(write_onnx(wide))

    (expected,) = run_tflite(write_tflite(wide), [samples], reference_of(wide))
    got = np.stack([session.run(None, {"image": sample})[0] for sample in samples])

    assert got.dtype == np.int16
    np.testing.assert_array_equal(got.argmax(axis=-1), expected.argmax(axis=-1))
