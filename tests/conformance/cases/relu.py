from collections.abc import Iterator
from typing import Any

from draw.rescaled import rescalings, wide_rescalings
from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator
from single_operator import activation as activation_tensor

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.activation import Activation
from tinyml.ops.relu import Relu

ALL_VALUES = (1, 16, 16, 1)
SHAPES = ((1,), (7,), (3, 5), (2, 3, 3))


def cases() -> Iterator[tuple[Any, Graph]]:
    draw = Draw("relu")
    for activation in (Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1):
        for source, output in rescalings(draw):
            shape = draw.one_of(ALL_VALUES, ALL_VALUES, *SHAPES)
            op = Relu(name="relu", inputs=(SOURCE,), outputs=(OUTPUT,), activation=activation)
            graph = single_operator(op, [int8_tensor(SOURCE, shape, source)], output)
            yield (activation, shape, source, output), graph
    draw = Draw("relu int16")
    for kind in (Activation.RELU, Activation.RELU6):
        for source, output in wide_rescalings(draw):
            shape = draw.one_of(ALL_VALUES, *SHAPES)
            op = Relu(name="relu", inputs=(SOURCE,), outputs=(OUTPUT,), activation=kind)
            tensor = activation_tensor(SOURCE, shape, DType.INT16, source)
            yield (kind, shape, source, output), single_operator(op, [tensor], output)
