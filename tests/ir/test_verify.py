from dataclasses import replace

import numpy as np
import pytest
from graphs import (
    activation,
    add,
    int8_weights,
    make_graph,
    max_pool_2d,
    relu,
    small_float,
    small_int8,
)

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, QuantParams, Tensor
from tinyml.ir.verify import verify_float, verify_quantized


def test_sound_graphs_pass():
    verify_float(small_float())
    verify_quantized(small_int8())


def test_a_tensor_that_does_not_exist_is_named_with_its_reader():
    graph = make_graph([activation("y", (1,))], [relu("y", "x")], [], ["y"])

    with pytest.raises(ModelError, match="'y' reads tensor 'x', which does not exist"):
        verify_float(graph)


def test_an_output_that_does_not_exist_is_named_with_its_writer():
    graph = make_graph([activation("x", (1,))], [relu("y", "x")], ["x"], [])

    with pytest.raises(ModelError, match="'y' writes tensor 'y', which does not exist"):
        verify_float(graph)


@pytest.mark.parametrize(("inputs", "outputs"), [(["ghost"], []), ([], ["ghost"])])
def test_a_boundary_tensor_that_does_not_exist_is_named(inputs, outputs):
    with pytest.raises(ModelError, match="'ghost'"):
        verify_float(make_graph([], [], inputs, outputs))


def test_a_cycle_is_refused():
    tensors = [activation(name, (1,)) for name in ("x", "a", "b")]
    ops = [add("a", "x", "b"), relu("b", "a")]

    with pytest.raises(ModelError, match=r"'a' reads tensor 'b' before .* without cycles"):
        verify_float(make_graph(tensors, ops, ["x"], ["b"]))


def test_operators_out_of_order_are_refused():
    graph = small_int8()

    with pytest.raises(ModelError, match="execution order"):
        verify_quantized(replace(graph, ops=graph.ops[::-1]))


def test_a_tensor_written_twice_is_refused():
    tensors = [activation("x", (1,)), activation("y", (1,))]
    graph = make_graph(tensors, [relu("y", "x"), relu("y", "x")], ["x"], ["y"])

    with pytest.raises(ModelError, match="'y' is written twice"):
        verify_quantized(graph)


def test_an_operator_that_writes_an_input_is_refused():
    graph = make_graph([activation("x", (1,))], [relu("x", "x")], ["x"], ["x"])

    with pytest.raises(ModelError, match="'x' is written twice"):
        verify_quantized(graph)


def test_an_output_nothing_writes_is_refused():
    with pytest.raises(ModelError, match="nothing writes the graph's output 'y'"):
        verify_float(make_graph([activation("y", (1,))], [], [], ["y"]))


def test_a_shape_that_is_not_what_the_operator_gives_is_refused():
    graph = small_int8().with_tensors(activation("sum", (1, 6, 6, 5), 0.06, -120))

    with pytest.raises(ModelError, match=r"'sum' gives tensor 'sum' int8 \(1, 6, 6, 4\), but"):
        verify_quantized(graph)


def test_an_int8_activation_without_scale_is_refused():
    graph = small_int8().with_tensors(Tensor("sum", (1, 6, 6, 4), DType.INT8))

    with pytest.raises(ModelError, match="'sum' is int8 but has no scale"):
        verify_quantized(graph)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_that_is_no_positive_number_is_refused(scale):
    graph = small_int8().with_tensors(activation("sum", (1, 6, 6, 4), scale))

    with pytest.raises(ModelError, match="'sum' has a scale that is not a positive number"):
        verify_quantized(graph)


@pytest.mark.parametrize("zero_point", [-129, 128])
def test_a_zero_point_outside_int8_is_refused(zero_point):
    graph = small_int8().with_tensors(activation("sum", (1, 6, 6, 4), 0.1, zero_point))

    with pytest.raises(ModelError, match=r"'sum' has a zero point outside \[-128, 127\]"):
        verify_quantized(graph)


@pytest.mark.parametrize(
    ("quant", "message"),
    [
        (QuantParams((0.1, 0.2), (0,), 0), "2 scales but 1 zero points"),
        (QuantParams((0.1, 0.2), (0, 0), 0), "2 scales where 3 are needed"),
        (QuantParams((0.1, 0.2), (0, 0), None), "2 scales where 1 are needed"),
        (QuantParams((0.1, 0.2), (0, 0), 2), "along dimension 2, which it lacks"),
        (QuantParams((0.1, 0.2), (0, 0), -1), "along dimension -1, which it lacks"),
    ],
)
def test_scales_that_do_not_fit_their_tensor_are_refused(quant, message):
    weights = Tensor("fc/w", (3, 2), DType.INT8, quant, np.zeros((3, 2), np.int8))

    with pytest.raises(ModelError, match=message):
        verify_quantized(make_graph([weights], [], [], ["fc/w"]))


def test_an_output_that_must_share_its_inputs_parameters_is_held_to_it():
    tensors = [activation("x", (1, 2, 2, 1), 0.1), activation("y", (1, 1, 1, 1), 0.2)]
    graph = make_graph(tensors, [max_pool_2d("y", "x")], ["x"], ["y"])

    with pytest.raises(ModelError, match="'x' and 'y' must share scale and zero point"):
        verify_quantized(graph)


def test_an_output_with_parameters_given_by_the_operator_is_held_to_them():
    graph = small_int8().with_tensors(activation("probabilities", (1, 3), 0.1))

    with pytest.raises(ModelError, match=r"must have scale 0\.00390625, zero point -128"):
        verify_quantized(graph)


def test_int8_weights_in_a_float_graph_are_refused():
    graph = small_float().with_tensors(int8_weights("fc/w", (3, 4), None))

    with pytest.raises(ModelError, match="'fc/w'"):
        verify_float(graph)


def test_float_weights_in_an_int8_graph_are_refused():
    weights = Tensor("fc/w", (3, 4), DType.FLOAT32, data=np.zeros((3, 4), np.float32))

    with pytest.raises(ModelError, match="'fc/w'"):
        verify_quantized(small_int8().with_tensors(weights))


@pytest.mark.parametrize("name", ["conv/b", "dw/b", "fc/b"])
def test_a_bias_of_the_wrong_size_is_refused(name):
    bias = small_int8().tensor(name)
    longer = replace(bias, shape=(7,), quant=None, data=np.zeros(7, np.int32))

    with pytest.raises(ModelError, match=f"'{name}'"):
        verify_quantized(small_int8().with_tensors(longer))
