"""A choice between float constants, then quantized, chooses between integers."""

import numpy as np
from graphs import activation, float_constant, make_graph, quantize

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.cast import Cast
from tinyml.ops.one_hot import OneHot
from tinyml.ops.select import Select
from tinyml.passes.quantize_choices import quantize_choices


def quantized(op: Op, source: Tensor, *constants: Tensor) -> Graph:
    """The operator in float, then a QUANTIZE."""
    tensors = [source, *constants, activation("real", (1, 4), None)]
    tensors.append(activation("y", (1, 4), 1 / 255, -128))
    return make_graph(tensors, [op, quantize("y", "real")], [source.name], ["y"])


def cast() -> Cast:
    return Cast(name="real", inputs=("x",), outputs=("real",), dtype=DType.FLOAT32)


def test_a_cast_of_bool_selects_the_codes_of_one_and_zero():
    changed = quantize_choices(quantized(cast(), Tensor("x", (1, 4), DType.BOOL)))

    verify_quantized(changed)
    (select,) = changed.ops
    assert isinstance(select, Select)
    assert [changed.tensor(name).constant.item() for name in select.inputs[1:]] == [127, -128]


def test_a_one_hot_places_codes():
    op = OneHot(name="real", inputs=("x", "on", "off"), outputs=("real",), axis=1, depth=4)
    values = [float_constant(name, np.float32(value)) for name, value in (("on", 1), ("off", 0.2))]

    changed = quantize_choices(quantized(op, Tensor("x", (1,), DType.INT32), *values))

    verify_quantized(changed)
    (one_hot,) = changed.ops
    assert isinstance(one_hot, OneHot)
    assert [changed.tensor(name).constant.item() for name in one_hot.inputs[1:]] == [127, -77]


def test_a_choice_that_something_else_reads_stays():
    graph = quantized(cast(), Tensor("x", (1, 4), DType.BOOL))
    graph = make_graph(list(graph.tensors.values()), graph.ops, ["x"], ["y", "real"])

    assert quantize_choices(graph) is graph


def test_a_cast_of_integers_stays():
    graph = quantized(cast(), Tensor("x", (1, 4), DType.INT32))

    assert quantize_choices(graph) is graph
