"""Calibration data that cannot be meant: refused, or said so."""

import numpy as np
import pytest
from graphs import activation, make_graph

from tinyml.errors import InputError
from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.mul import Mul
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.check_samples import calibration_warnings
from tinyml.quantize.observers import MinMax


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
