"""Post-training quantization to int16 activations with int8 weights."""

import numpy as np
import pytest
from graphs import small_float, spread
from references import reference_of

from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.softmax import WIDE_OUTPUT_QUANT
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite

SIXTEEN_BY_EIGHT = Scheme(activations=DType.INT16)


@pytest.fixture(scope="module")
def images():
    return np.stack([spread((1, 6, 6, 2), seed) for seed in range(8)]).astype(np.float32) / 127


@pytest.fixture(scope="module")
def wide(images):
    graph = small_float()
    return quantize_graph(graph, calibrate(graph, [images], MinMax), SIXTEEN_BY_EIGHT)


def test_activations_are_int16_weights_int8_and_biases_int64(wide):
    dtypes = {tensor.dtype for tensor in wide.tensors.values()}

    assert dtypes == {DType.INT16, DType.INT8, DType.INT64}
    assert wide.tensor("conv/w").dtype is DType.INT8
    assert wide.tensor("conv/b").dtype is DType.INT64


def test_activations_are_symmetric_about_zero_and_reach_32767(wide, images):
    source = wide.tensor("image")

    assert source.zero_point == 0
    assert source.scale == pytest.approx(np.abs(images).max() / 32767)


def test_softmax_has_the_parameters_int16_asks_for(wide):
    assert wide.tensor(wide.outputs[0]).quant == WIDE_OUTPUT_QUANT


def test_a_16x8_model_is_read_back_as_it_was_written(wide):
    assert read_tflite(write_tflite(wide), wide.name) == wide


def test_the_16x8_network_is_close_to_the_float_network(images, wide):
    (real,) = run_tflite(write_tflite(small_float()), [images], reference_of(small_float()))
    samples = quantize(images, wide.tensor("image").quant, DType.INT16)

    (integers,) = run_tflite(write_tflite(wide), [samples], reference_of(wide))

    np.testing.assert_allclose(dequantize(integers, WIDE_OUTPUT_QUANT), real, atol=0.05)
