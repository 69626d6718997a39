"""What the device does not compute with integers that have no scale, and how it says so."""

from dataclasses import replace

import numpy as np
import pytest
from modules import module_of
from single_operator import OUTPUT, single_operator

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, QuantParams, Tensor
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.one_hot import OneHot

PLAIN = [Tensor(name, (3,), DType.INT32) for name in ("first", "second")]
ADD = Add(name="add", inputs=("first", "second"), outputs=(OUTPUT,), activation=Activation.NONE)
VALUES = [
    Tensor(name, (), DType.INT32, data=np.array(value, np.int32))
    for name, value in (("on", 1), ("off", 0))
]
ONE_HOT = OneHot(name="hot", inputs=("ids", "on", "off"), outputs=(OUTPUT,), axis=1, depth=4)


def test_int32_with_a_scale_is_refused():
    scaled = replace(PLAIN[1], quant=QuantParams.per_tensor(0.5, 0))

    with pytest.raises(ModelError, match="'second' is int32 with a scale, expected plain integers"):
        single_operator(ADD, [PLAIN[0], scaled], None)


def test_an_activation_of_integers_is_refused():
    relu = replace(ADD, activation=Activation.RELU)

    with pytest.raises(ModelError, match="has the activation RELU on int32 integers"):
        single_operator(relu, PLAIN, None)


def test_a_one_hot_of_int64_is_refused_on_the_device():
    graph = single_operator(ONE_HOT, [Tensor("ids", (3,), DType.INT64), *VALUES], None)

    with pytest.raises(ModelError, match="indices 'ids' are int64, expected int32"):
        module_of(graph, "refused", PORTABLE, cmsis_nn=5)


@pytest.mark.parametrize("field", [{"axis": 2}, {"axis": -1}, {"depth": 0}])
def test_a_one_hot_that_does_not_fit_its_ids_is_refused(field):
    with pytest.raises(ModelError, match="ONE_HOT 'hot'"):
        single_operator(
            replace(ONE_HOT, **field), [Tensor("ids", (3,), DType.INT32), *VALUES], None
        )


def test_values_of_more_than_one_element_are_refused():
    wide = replace(VALUES[0], shape=(2,), data=np.ones(2, np.int32))

    with pytest.raises(ModelError, match="expected two of one element"):
        single_operator(ONE_HOT, [Tensor("ids", (3,), DType.INT32), wide, VALUES[1]], None)
