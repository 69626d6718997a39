"""What the host does in place of QUANTIZE and DEQUANTIZE at a model's edges."""

import numpy as np
import pytest
from cases import dequantize as dequantize_cases
from cases import quantize as quantize_cases
from references import reference_of
from single_operator import Draw, cases_of, samples_of

from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, QuantParams
from tinyml.numerics.affine import dequantize, quantize
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import run_tflite


def floats_around(quant: QuantParams, count: int) -> Array:
    """Inside the range, on and beside the halves between two integers, far outside, zeros."""
    draw = Draw(repr(quant))
    scale, zero_point = np.float32(quant.scale[0]), quant.zero_point[0]
    quarter = count // 4
    inside = draw.rng.uniform(-129, 128, quarter) - zero_point
    halves = draw.rng.integers(-129, 128, quarter) - zero_point + 0.5
    beside = np.nextafter(halves.astype(np.float32), np.float32(0))
    outside = draw.rng.choice([-1e6, -300, -0.0, 0.0, 300, 1e6], count - 3 * quarter)
    return np.concatenate([inside, halves, beside, outside]).astype(np.float32) * scale


@pytest.mark.parametrize("graph", list(quantize_cases.edges()))
def test_float_samples_become_the_int8_of_the_reference_quantize(graph):
    source, output = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    samples = floats_around(output.quant, source.size).reshape(1, *source.shape)

    (expected,) = run_tflite(write_tflite(graph), [samples], reference_of(graph))

    np.testing.assert_array_equal(quantize(samples, output.quant, output.dtype), expected)


def test_int8_results_become_the_floats_of_the_reference_dequantize():
    for case in cases_of(dequantize_cases.__name__.rsplit(".", 1)[-1]):
        samples = samples_of(case)
        prepared = prepare_for_device(case.graph)

        (expected,) = run_tflite(write_tflite(case.graph), samples, reference_of(case.graph))
        (int8,) = run_tflite(write_tflite(prepared), samples, reference_of(prepared))

        result = dequantize(int8, prepared.tensor(prepared.outputs[0]).quant)
        np.testing.assert_array_equal(result, expected, err_msg=case.name)
