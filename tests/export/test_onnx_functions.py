"""Elementwise operators and reductions as ONNX: numbers against TFLite's."""

import numpy as np
import pytest
from function_graphs import CHOICES, FUNCTIONS, float_samples
from references import reference_of
from test_onnx import run_onnx

from tinyml.export.tflite import write_tflite
from tinyml.numerics.affine import quantize
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite

GRAPHS = {**FUNCTIONS, **CHOICES}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_float_function_gives_what_tflite_gives(name):
    graph = GRAPHS[name]
    samples = float_samples(name, graph)

    expected = run_tflite(write_tflite(graph), samples, reference_of(graph))
    (got,) = run_onnx(graph, samples)

    assert got.dtype == expected[0].dtype
    np.testing.assert_allclose(got, expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_int8_function_is_at_most_one_step_from_tflite(name):
    graph = FUNCTIONS[name]
    samples = float_samples(name, graph)
    int8 = quantize_graph(graph, calibrate(graph, samples, MinMax), Scheme())
    integers = [
        quantize(array, int8.tensor(end).quant)
        for array, end in zip(samples, int8.inputs, strict=True)
    ]

    expected = run_tflite(write_tflite(int8), integers, reference_of(int8))
    (got,) = run_onnx(int8, integers)

    difference = np.abs(got.astype(int) - expected[0].astype(int))
    assert difference.max() <= 1
