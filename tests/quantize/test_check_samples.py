"""Calibration data that cannot be meant: refused, or said so."""

import numpy as np
import pytest
from graphs import activation, float_constant, make_graph
from separable import images, separable

from tinyml.errors import InputError
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.contract.activation import Activation
from tinyml.ops.mul import Mul
from tinyml.pipeline import plan_model
from tinyml.quantize.calibrate import calibrate, iterate_activations
from tinyml.quantize.check_samples import calibration_warnings
from tinyml.quantize.methods import all_methods
from tinyml.quantize.observers import MinMax, ObserverKind, observer_factory
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.recipe import Recipe, calibrate_by
from tinyml.runtime.tflite import LITERT_REFERENCE, run_tflite, stacked


def scaled_by(factor: float) -> Graph:
    """An input that the model multiplies at once, as a Rescaling layer does."""
    constant = Tensor("factor", (), DType.FLOAT32, data=np.array(factor, np.float32))
    tensors = [activation("pixels", (1, 4), None), constant, activation("y", (1, 4), None)]
    mul = Mul(name="y", inputs=("pixels", "factor"), outputs=("y",), activation=Activation.NONE)
    return make_graph(tensors, [mul], ["pixels"], ["y"])


def test_zeros_are_refused():
    zeros = np.zeros((20, 1, 4), np.float32)

    with pytest.raises(InputError, match="of input 'pixels' are 0 everywhere"):
        calibrate(scaled_by(1 / 255), [zeros], MinMax)


def test_one_number_everywhere_is_warned_of():
    ones = np.ones((3, 1, 4), np.float32)

    (warning,) = calibrate(scaled_by(1.0), [ones], MinMax).warnings

    assert warning.startswith("the calibration data of input 'pixels' are 1 everywhere (3 samples)")


def test_data_within_one_that_the_model_scales_down_are_warned_of():
    data = np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 1, 4)

    (warning,) = calibration_warnings(scaled_by(1 / 16), [data])

    assert "reach from 0 to 1, and the model multiplies them by 0.0625 at once" in warning


@pytest.mark.parametrize(("factor", "largest"), [(1 / 16, 16), (0.5, 1), (2.0, 1)])
def test_data_on_the_scale_that_the_model_takes_are_not_warned_of(factor, largest):
    data = np.linspace(0, largest, 8, dtype=np.float32).reshape(2, 1, 4)

    assert calibration_warnings(scaled_by(factor), [data]) == ()


def warnings_of(x: np.ndarray, graph: Graph | None = None, make=MinMax) -> tuple[str, ...]:
    return calibrate(separable() if graph is None else graph, x, make).warnings


def test_usual_data_are_not_warned_of():
    assert warnings_of(images(8)) == ()


def test_an_outlier_of_a_million_is_warned_of_with_its_tensor_and_an_observer_to_try():
    data = images(8)
    data[5, 0, 3, 3, 1] = 1e6

    (warning,) = warnings_of(data)

    assert warning.startswith("tensor 'image' reaches 1e+06 in sample 5, where half of the samples")
    assert warning.endswith(
        " as in 6 more tensors: leave such samples out, or try --observer percentile"
    )


def test_the_observer_that_the_warning_names_leaves_the_outlier_out():
    data = images(64)
    data[5, 0, 3, 3, 1] = 1e6
    graph, clean = separable(), images(64)

    make = observer_factory(ObserverKind.PERCENTILE, 99.9)
    (low, high) = calibrate(graph, data, make).ranges["image"]

    assert (low, high) == (pytest.approx(-3.3, abs=0.4), pytest.approx(3.3, abs=0.4))
    assert "'image'" not in "".join(warnings_of(data, make=make))
    assert warnings_of(clean, make=make) == ()


def test_one_sample_is_warned_of():
    (warning,) = warnings_of(images(1))

    assert warning.startswith("there is 1 calibration sample, and no range of one sample holds")


def test_a_channel_that_is_one_number_everywhere_is_warned_of():
    data = images(8)
    data[..., 1] = 0.5

    (warning,) = warnings_of(data)

    assert warning.startswith("the calibration data of input 'image' are 0.5 everywhere in channel")
    assert "channel 1: ranges are found for that alone" in warning


def test_features_without_places_may_be_constant():
    data = np.random.default_rng(0).normal(size=(5, 1, 4)).astype(np.float32)
    data[..., 2] = 0

    assert warnings_of(data, scaled_by(1.0)) == ()


@pytest.mark.parametrize("methods", [(), tuple(all_methods())])
def test_a_layer_whose_weights_are_all_zero_is_warned_of_and_quantized(methods):
    graph = separable().with_tensors(float_constant("pointwise/w", np.zeros((8, 1, 1, 8))))

    calibrated = calibrate_by(Recipe(methods=methods), graph, images(8))
    quantized = quantize_graph(calibrated.graph, calibrated.table)

    assert calibrated.table.warnings == (
        "the weights of 'pointwise' are all zero, and what they read counts for nothing",
    )
    plan_model(quantized)
    source, output = (quantized.tensor(n) for n in (*quantized.inputs, *quantized.outputs))
    codes = quantize(images(8), source.quant)
    got = run_tflite(write_tflite(quantized), [codes], LITERT_REFERENCE)[0]
    expected = stacked(iterate_activations(graph, [images(8)], graph.outputs))[0]
    np.testing.assert_allclose(dequantize(got, output.quant), expected, atol=output.scale)
