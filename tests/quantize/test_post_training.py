from dataclasses import replace

import numpy as np
import pytest
from graphs import (
    activation,
    add,
    concatenation,
    conv_2d,
    float_constant,
    float_weights,
    fully_connected,
    make_graph,
    max_pool_2d,
    pad,
    relu,
    reshape,
    small_float,
    softmax,
    spread,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from references import REFERENCES, reference_of

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType, Graph, QuantParams
from tinyml.ir.verify import verify_float
from tinyml.numerics.affine import affine_params, dequantize
from tinyml.ops.quantize import Quantize
from tinyml.ops.softmax import OUTPUT_QUANT
from tinyml.quantize.calibrate import CalibrationTable, calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite

PER_CHANNEL, PER_TENSOR = Scheme(), Scheme(per_channel=False)


def quantized(graph: Graph, scheme: Scheme = PER_CHANNEL, **ranges: tuple[float, float]) -> Graph:
    """The graph in int8; activations without a range of their own have [-1, 1]."""
    verify_float(graph)
    names = [tensor.name for tensor in graph.tensors.values() if not tensor.is_constant]
    table = CalibrationTable({name: ranges.get(name, (-1.0, 1.0)) for name in names}, 1)
    return quantize_graph(graph, table, scheme)


def one_conv(weights: np.ndarray, bias: np.ndarray | None = None) -> Graph:
    """A 1x1 convolution of one pixel: weights are (outputs, inputs)."""
    outputs, inputs = weights.shape
    tensors = [
        activation("x", (1, 1, 1, inputs), None),
        float_constant("w", weights.reshape(outputs, 1, 1, inputs)),
        activation("y", (1, 1, 1, outputs), None),
    ]
    names = ["x", "w"]
    if bias is not None:
        tensors.append(float_constant("b", bias))
        names.append("b")
    return make_graph(tensors, [conv_2d("y", *names)], ["x"], ["y"])


# --------------------------------------------------------------------------- weights and biases

matrices = st.integers(0, 1000).map(
    lambda seed: np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
)


@given(matrices, st.sampled_from([PER_CHANNEL, PER_TENSOR]))
@settings(max_examples=30)
def test_weights_are_symmetric_and_reach_127(matrix, scheme):
    weights = quantized(one_conv(matrix), scheme).tensor("w")

    assert set(weights.quant.zero_point) == {0}
    assert weights.constant.min() >= -127
    per_channel = np.abs(weights.constant.reshape(3, 4).astype(int)).max(axis=1)
    assert per_channel.max() == 127
    assert scheme is PER_TENSOR or per_channel.tolist() == [127] * 3


@given(matrices)
@settings(max_examples=30)
def test_weights_are_off_by_at_most_half_a_step_of_their_channel(matrix):
    weights = quantized(one_conv(matrix)).tensor("w")

    error = np.abs(dequantize(weights.constant, weights.quant).reshape(3, 4) - matrix)
    steps = np.array(weights.quant.scale)[:, None]
    assert (error <= steps * 0.50001).all()


def test_weights_have_one_scale_per_output_channel_or_one_for_all():
    matrix = np.array([[1.0, -2.0], [0.5, 0.25]], np.float32)

    per_channel = quantized(one_conv(matrix)).tensor("w").quant
    per_tensor = quantized(one_conv(matrix), PER_TENSOR).tensor("w").quant

    assert per_channel == QuantParams((2 / 127, 0.5 / 127), (0, 0), 0)
    assert per_tensor == QuantParams.per_tensor(2 / 127, 0)


def test_depthwise_weights_have_their_scales_along_the_last_dimension():
    weights = calibrated(small_float()).tensor("dw/w")

    assert (weights.quant.quantized_dimension, len(weights.quant.scale)) == (3, 4)


def test_fully_connected_weights_have_one_scale():
    assert not calibrated(small_float()).tensor("fc/w").quant.is_per_channel


def test_a_single_channel_has_a_scale_per_tensor():
    assert not quantized(one_conv(np.ones((1, 3), np.float32))).tensor("w").quant.is_per_channel


@pytest.mark.parametrize("scheme", [PER_CHANNEL, PER_TENSOR])
def test_a_bias_has_the_scale_of_input_times_weights(scheme):
    matrix = np.array([[1.0, -2.0], [0.5, 0.25]], np.float32)
    graph = quantized(one_conv(matrix, np.array([0.7, -0.3], np.float32)), scheme)
    source, weights, bias = (graph.tensor(name) for name in "xwb")

    expected = [source.scale * scale for scale in weights.quant.scale]
    assert bias.dtype is DType.INT32
    assert bias.quant.scale == QuantParams(tuple(expected), (0,) * len(expected)).scale
    assert bias.quant.quantized_dimension == (0 if len(expected) > 1 else None)
    np.testing.assert_allclose(dequantize(bias.constant, bias.quant), [0.7, -0.3], atol=1e-4)


def test_a_bias_too_large_for_its_scale_raises_its_channels_weight_scale():
    matrix = np.full((2, 2), 1e-6, np.float32)
    graph = quantized(one_conv(matrix, np.array([5e4, 0.0], np.float32)))
    weights, bias = graph.tensor("w"), graph.tensor("b")

    assert weights.quant.scale[0] > 1e-6 / 127
    assert weights.quant.scale[1] == QuantParams.per_tensor(1e-6 / 127, 0).scale[0]
    assert abs(int(bias.constant[0])) <= 2**30 + 2**8
    np.testing.assert_allclose(dequantize(bias.constant, bias.quant), [5e4, 0], rtol=1e-5)


def test_a_bias_too_large_raises_the_one_weight_scale_per_tensor():
    matrix = np.full((2, 2), 1e-6, np.float32)
    graph = quantized(one_conv(matrix, np.array([-5e4, 1.0], np.float32)), PER_TENSOR)
    bias = graph.tensor("b")

    np.testing.assert_allclose(dequantize(bias.constant, bias.quant), [-5e4, 1.0], rtol=1e-3)


def test_a_channel_of_zeros_has_the_scale_of_the_largest_other():
    matrix = np.array([[0.0, 0.0], [1.0, -1.0], [0.5, 0.1]], np.float32)

    weights = quantized(one_conv(matrix)).tensor("w")

    assert weights.quant.scale[0] == weights.quant.scale[1]
    assert weights.constant.reshape(3, 2)[:2].tolist() == [[0, 0], [127, -127]]


@pytest.mark.parametrize("matrix", [np.zeros((2, 2)), np.array([[0, 0], [1, 1]])])
def test_the_bias_of_a_channel_of_zeros_keeps_its_precision(matrix):
    bias = quantized(one_conv(matrix.astype(np.float32), np.array([0.1, 0.3]))).tensor("b")

    np.testing.assert_allclose(dequantize(bias.constant, bias.quant), [0.1, 0.3], atol=1e-4)


def test_a_layer_without_bias_gets_one_of_zeros_which_runtimes_ask_for():
    graph = quantized(one_conv(np.eye(2, dtype=np.float32)))
    x = np.array([[[[[-128, 127]]]]], np.int8)

    assert graph.tensor(graph.ops[0].inputs[2]).constant.tolist() == [0, 0]
    for runtime in REFERENCES:
        (y,) = run_tflite(write_tflite(graph), [x], runtime)
        assert y.tolist() == x.tolist()


def two_layers(**ranges: tuple[float, float]) -> Graph:
    """Two fully connected layers of the same weights and bias."""
    tensors = [
        activation("x", (1, 2), None),
        float_weights("w", (2, 2), seed=1),
        float_constant("b", [0.5, -0.25]),
        activation("h", (1, 2), None),
        activation("y", (1, 2), None),
    ]
    ops = [fully_connected("h", "x", "w", "b"), fully_connected("y", "h", "w", "b")]
    return quantized(make_graph(tensors, ops, ["x"], ["y"]), **ranges)


def test_a_bias_two_layers_share_is_split_where_their_inputs_scales_differ():
    graph = two_layers(x=(-1, 1), h=(-8, 8))
    first, second = (graph.tensor(op.inputs[2]) for op in graph.ops)

    assert first.name != second.name
    for bias in (first, second):
        np.testing.assert_allclose(dequantize(bias.constant, bias.quant), [0.5, -0.25], atol=1e-2)


def test_weights_two_layers_share_stay_shared():
    graph = two_layers(x=(-1, 1), h=(-8, 8))

    assert {op.inputs[1] for op in graph.ops} == {"w"}


def test_parameters_two_layers_share_stay_shared_where_all_scales_are_equal():
    assert len({op.inputs for op in two_layers().ops}) == 2
    assert len({op.inputs[1:] for op in two_layers().ops}) == 1


def test_weights_computed_at_run_time_are_refused_by_name():
    tensors = [
        activation("x", (1, 1, 1, 2), None),
        activation("w", (2, 1, 1, 2), None),
        activation("y", (1, 1, 1, 2), None),
    ]
    graph = make_graph(tensors, [conv_2d("y", "x", "w")], ["x", "w"], ["y"])

    with pytest.raises(ModelError, match="'y': weights 'w' are computed at run time"):
        quantized(graph)


# --------------------------------------------------------------------------- activations


def activations(graph: Graph, *names: str) -> list[QuantParams]:
    return [graph.tensor(name).quant for name in names]


def test_an_activation_has_the_affine_parameters_of_its_range():
    graph = quantized(one_conv(np.eye(2, dtype=np.float32)), x=(-0.5, 2.0), y=(0.0, 3.0))

    assert activations(graph, "x", "y") == [affine_params(-0.5, 2.0), affine_params(0.0, 3.0)]


def test_activations_of_zeros_have_the_scale_of_values_up_to_1():
    bias = np.array([0.1, 0.3], np.float32)
    graph = quantized(one_conv(np.eye(2, dtype=np.float32), bias), x=(0.0, 0.0), y=(0.0, 0.3))

    assert activations(graph, "x") == [affine_params(0.0, 1.0)]
    steps = graph.tensor("b")
    np.testing.assert_allclose(dequantize(steps.constant, steps.quant), bias, atol=1e-4)


@pytest.mark.parametrize(
    "op",
    [
        max_pool_2d("y", "x", size=(1, 1), stride=(1, 1)),
        reshape("y", "x", (1, 2, 2, 1)),
        pad("y", "x", [(0, 0)] * 4),
    ],
    ids=lambda op: type(op).__name__,
)
def test_an_operator_that_copies_ties_its_input_and_output_to_the_wider_range(op):
    tensors = [activation("x", (1, 2, 2, 1), None), activation("y", (1, 2, 2, 1), None)]
    graph = make_graph(tensors, [op], ["x"], ["y"])

    assert (
        activations(quantized(graph, x=(-1, 2), y=(-3, 1)), "x", "y") == [affine_params(-3, 2)] * 2
    )


def test_an_operator_that_computes_leaves_its_tensors_their_own_ranges():
    tensors = [activation("x", (1, 2), None), activation("y", (1, 2), None)]
    graph = make_graph(tensors, [relu("y", "x")], ["x"], ["y"])

    assert activations(quantized(graph, x=(-1, 2), y=(0, 2)), "x", "y") == [
        affine_params(-1, 2),
        affine_params(0, 2),
    ]


def test_concatenation_ties_all_its_inputs_to_its_output():
    tensors = [activation(name, (1, 2), None) for name in "ab"]
    tensors.append(activation("both", (1, 4), None))
    graph = make_graph(tensors, [concatenation("both", "a", "b", axis=1)], ["a", "b"], ["both"])

    shared = activations(quantized(graph, a=(-1, 1), b=(0, 5), both=(-1, 5)), "a", "b", "both")

    assert shared == [affine_params(-1, 5)] * 3


def test_ties_reach_through_chains_of_operators():
    tensors = [activation("x", (1, 2, 2, 1), None), activation("pooled", (1, 1, 1, 1), None)]
    tensors += [activation("flat", (1, 1), None), activation("other", (1, 1), None)]
    tensors.append(activation("joined", (1, 2), None))
    ops = [
        max_pool_2d("pooled", "x"),
        reshape("flat", "pooled", (1, 1)),
        concatenation("joined", "flat", "other", axis=1),
    ]
    graph = make_graph(tensors, ops, ["x", "other"], ["joined"])

    found = quantized(graph, x=(-4, 1), other=(0, 9))

    assert set(activations(found, "x", "pooled", "flat", "other", "joined")) == {
        affine_params(-4, 9)
    }


def test_softmax_has_the_parameters_its_definition_gives():
    tensors = [activation("x", (1, 4), None), activation("y", (1, 4), None)]
    graph = make_graph(tensors, [softmax("y", "x")], ["x"], ["y"])

    assert activations(quantized(graph, y=(0, 0.3)), "y") == [OUTPUT_QUANT]


def joined_softmax(*, through_reshape: bool) -> Graph:
    """A softmax's output, perhaps reshaped, joined with the input."""
    joined = "shaped" if through_reshape else "p"
    tensors = [activation(name, (1, 4), None) for name in ("x", "p", "shaped")]
    tensors.append(activation("both", (1, 8), None))
    ops = [softmax("p", "x"), concatenation("both", joined, "x", axis=1)]
    if through_reshape:
        ops.insert(1, reshape("shaped", "p", (1, 4)))
    return make_graph(tensors, ops, ["x"], ["both"]).pruned()


@pytest.mark.parametrize("through_reshape", [False, True])
def test_a_softmax_that_is_concatenated_is_requantized_first(through_reshape):
    graph = quantized(joined_softmax(through_reshape=through_reshape), x=(-3, 3), both=(-3, 3))

    (moved,) = [op for op in graph.ops if isinstance(op, Quantize)]
    assert graph.tensor(moved.inputs[0]).quant == OUTPUT_QUANT
    assert graph.tensor(moved.outputs[0]).quant == graph.tensor("both").quant
    assert graph.tensor("x").quant == affine_params(-3, 3)
    x = np.array([[[-50, 0, 50, 100]]], np.int8)
    for runtime in REFERENCES:
        (both,) = run_tflite(write_tflite(graph), [x], runtime)
        assert both[0, 0, 4:].tolist() == x[0, 0].tolist()


def test_a_constant_used_like_an_activation_is_quantized_by_its_values():
    tensors = [
        activation("x", (1, 2), None),
        float_constant("c", [[0.0, 2.55]]),
        activation("y", (1, 2), None),
    ]
    graph = quantized(make_graph(tensors, [add("y", "x", "c")], ["x"], ["y"]))

    assert graph.tensor("c").quant == affine_params(0, 2.55)
    assert graph.tensor("c").constant.tolist() == [[-128, 127]]


def test_a_constant_that_is_a_bias_too_is_quantized_for_each_use():
    tensors = [
        activation("x", (1, 2), None),
        float_weights("w", (2, 2), seed=1),
        float_constant("b", [0.5, -0.25]),
        activation("h", (1, 2), None),
        activation("y", (1, 2), None),
    ]
    ops = [fully_connected("h", "x", "w", "b"), add("y", "h", "b")]

    graph = quantized(make_graph(tensors, ops, ["x"], ["y"]))

    (_, _, bias), (_, operand) = (op.inputs for op in graph.ops)
    assert (graph.tensor(bias).dtype, graph.tensor(operand).dtype) == (DType.INT32, DType.INT8)
    for name in (bias, operand):
        tensor = graph.tensor(name)
        np.testing.assert_allclose(
            dequantize(tensor.constant, tensor.quant), [0.5, -0.25], atol=2e-3
        )


def test_a_tensor_without_a_range_is_named():
    graph = one_conv(np.eye(2, dtype=np.float32))

    with pytest.raises(ModelError, match="'y' has no calibrated range"):
        quantize_graph(graph, CalibrationTable({"x": (-1.0, 1.0)}, 1), PER_CHANNEL)


# --------------------------------------------------------------------------- the whole


def images(count: int) -> np.ndarray:
    return np.stack([spread((1, 6, 6, 2), seed) for seed in range(count)]).astype(np.float32) / 127


def damped() -> Graph:
    """``small_float`` with weights that keep softmax from saturating."""
    graph = small_float()
    names = ("conv/w", "conv/b", "dw/w", "fc/w", "fc/b")
    scaled = (
        replace(graph.tensor(name), data=graph.tensor(name).constant * np.float32(0.4))
        for name in names
    )
    return graph.with_tensors(*scaled)


def calibrated(graph: Graph, scheme: Scheme = PER_CHANNEL) -> Graph:
    return quantize_graph(graph, calibrate(graph, [images(8)], MinMax), scheme)


def test_quantizing_leaves_the_float_graph_as_it_was():
    graph = small_float()
    calibrated(graph)

    assert graph == small_float()


def test_quantizing_twice_gives_the_same_bytes():
    assert write_tflite(calibrated(small_float())) == write_tflite(calibrated(small_float()))


def test_everything_is_an_integer_afterwards():
    graph = calibrated(small_float())

    assert {tensor.dtype for tensor in graph.tensors.values()} == {DType.INT8, DType.INT32}


@pytest.mark.parametrize("scheme", [PER_CHANNEL, PER_TENSOR])
def test_the_int8_network_is_close_to_the_float_network(scheme):
    graph = damped()
    integer = calibrated(graph, scheme)
    x = images(8)
    source = integer.tensor("image").quant
    q = np.clip(np.round(x / source.scale[0]) + source.zero_point[0], -128, 127).astype(np.int8)

    real = run_tflite(write_tflite(graph), [x], reference_of(graph))[0]
    bytes_out = run_tflite(write_tflite(integer), [q], reference_of(integer))[0]

    probabilities = dequantize(bytes_out, OUTPUT_QUANT)
    assert real.std() > 0.05
    np.testing.assert_allclose(probabilities, real, atol=0.05)


def test_a_constant_that_is_not_a_number_is_refused_by_name():
    tensors = [
        activation("x", (1, 4), None),
        float_constant("c", [np.nan, 1.0, 2.0, 3.0]),
        activation("y", (1, 4), None),
    ]

    with pytest.raises(ModelError, match=r"constant 'c' \(4,\) holds NaN, expected numbers"):
        quantized(make_graph(tensors, [add("y", "x", "c")], ["x"], ["y"]))
