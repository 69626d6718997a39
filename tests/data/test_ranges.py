"""Data that cannot be what a model was quantized for: what is said of them."""

from dataclasses import replace

import numpy as np
import pytest
from graphs import activation

from tinyml.data.ranges import output_warnings, range_warnings
from tinyml.ir.graph import DType, Tensor

# From 0 to 1, as pixels that were divided by 255.
SCALED = activation("serving_default_image:0", (1, 8), 1 / 255, -128)
# From 0 to 255, as pixels that were not.
PIXELS = activation("image", (1, 8), 1.0, -128)
STEPS = np.linspace(0, 1, 8, dtype=np.float32)[None]


def test_data_inside_the_range_are_not_warned_of():
    assert range_warnings([STEPS], [SCALED]) == ()
    assert range_warnings([STEPS * 1.09], [SCALED]) == ()


def test_data_far_outside_the_range_are_warned_of_with_both_ranges():
    (warning,) = range_warnings([STEPS * 16], [SCALED])

    assert warning.startswith(
        "the data of input 'image' reach from 0 to 16, but it was quantized for 0 to 1: 88 % of "
        "the values are cut off; scale the data as those that the model was calibrated with"
    )


def test_data_that_take_hardly_any_of_the_range_are_warned_of():
    (warning,) = range_warnings([STEPS], [PIXELS])

    assert (
        "reach from 0 to 1, but it was quantized for 0 to 255: they differ by less than" in warning
    )


def test_one_outlier_among_many_values_is_not_warned_of():
    data = np.full((1, 1000), 0.5, np.float32)
    data[0, :2] = 0, 100

    assert range_warnings([data], [SCALED]) == ()


@pytest.mark.parametrize("value", [0, 0.5])
def test_a_sample_of_one_value_inside_the_range_is_not_warned_of(value):
    assert range_warnings([np.full((1, 8), value, np.float32)], [PIXELS]) == ()


def test_raw_integers_and_integer_inputs_are_not_warned_of():
    raw = np.full((1, 8), 100, np.int8)
    pixels = np.arange(8, dtype=np.uint8)[None]
    ids = Tensor("ids", (1, 8), DType.INT32)

    inputs = [SCALED, replace(SCALED, unsigned=True), ids]
    assert range_warnings([raw, pixels, pixels], inputs) == ()


def test_uint8_samples_for_an_input_that_its_file_declares_int8_are_real_numbers():
    (warning,) = range_warnings([np.arange(0, 240, 30, dtype=np.uint8)[None]], [SCALED])

    assert "reach from 0 to 210, but it was quantized for 0 to 1" in warning


def test_outputs_that_the_float_model_takes_beyond_their_range_are_warned_of_by_name():
    (warning,) = output_warnings([STEPS * 16], [SCALED])

    assert warning.startswith(
        "on these data the float model's output 'serving_default_image:0' reaches from 0 to 16, "
        "but it was quantized for 0 to 1: 88 % of the values are cut off; calibrate with data like"
    )


def test_outputs_within_their_range_are_not_warned_of():
    assert output_warnings([STEPS, STEPS], [SCALED, PIXELS]) == ()
