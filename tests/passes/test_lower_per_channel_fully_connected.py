import numpy as np
import pytest
from graphs import (
    activation,
    add,
    branches_int8,
    fully_connected,
    int8_weights,
    int32_bias,
    make_graph,
    small_int8,
    spread,
)
from references import reference_of

from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.activation import Activation
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.passes.lower_per_channel_fully_connected import lower_per_channel_fully_connected
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import LITERT_REFERENCE, TFLITE_REFERENCE, run_tflite


def layer(
    source: tuple[int, ...],
    result: tuple[int, ...],
    *,
    bias: bool = True,
    scale: float = 0.03125,
    **fields,
) -> Graph:
    """One fully connected layer with weights per channel."""
    weights = int8_weights("w", (result[-1], source[-1]), 0, seed=1)
    tensors = [activation("x", source, scale, 5), weights, activation("y", result, 0.0625, -3)]
    names = ["x", "w"]
    if bias:
        tensors.append(int32_bias("b", scale, weights, result[-1], seed=2))
        names.append("b")
    graph = make_graph(tensors, [fully_connected("y", *names, **fields)], ["x"], ["y"])
    verify_quantized(graph)
    return graph


CASES = {
    "vector": layer((1, 6), (1, 4)),
    "rows": layer((3, 6), (3, 4)),
    "dimensions kept": layer((1, 2, 3, 6), (1, 2, 3, 4), keep_num_dims=True),
    "dimensions dropped": layer((1, 2, 3, 6), (6, 4)),
    "no bias": layer((1, 6), (1, 4), bias=False),
    "activation": layer((2, 6), (2, 4), activation=Activation.RELU6),
}


@pytest.mark.parametrize("graph", CASES.values(), ids=CASES)
def test_the_lowered_graph_gives_the_same_bytes_in_both_runtimes(graph):
    """Before, tflite-runtime cannot run it; LiteRT rounds once in it and twice in convolutions."""
    lowered = lower_per_channel_fully_connected(graph)
    x = np.stack([spread(graph.tensor("x").shape, seed) for seed in range(30)])

    (before,) = run_tflite(write_tflite(graph), [x], LITERT_REFERENCE)
    (litert,) = run_tflite(write_tflite(lowered), [x], LITERT_REFERENCE)
    (after,) = run_tflite(write_tflite(lowered), [x], reference_of(lowered))

    assert len(np.unique(before)) > 20
    assert np.array_equal(litert, after)
    assert np.abs(before.astype(int) - after).max() <= 1
    assert (before != after).mean() < 0.01


@pytest.mark.parametrize("bias", [DType.INT64, DType.INT32, None], ids=str)
def test_the_lowered_16x8_graph_gives_the_bytes_of_the_layer(bias):
    rng = np.random.default_rng(7)
    weights = int8_weights("w", (9, 120), 0, seed=1)
    scales = QuantParams(tuple(0.001 * scale for scale in weights.quant.scale), (0,) * 9, 0)
    tensors = [
        Tensor("x", (2, 120), DType.INT16, QuantParams.per_tensor(0.001, 0)),
        weights,
        Tensor("y", (2, 9), DType.INT16, QuantParams.per_tensor(0.01, 0)),
    ]
    if bias is not None:
        data = rng.integers(-(2**22), 2**22, 9).astype(bias.numpy)
        tensors.append(Tensor("b", (9,), bias, scales, data))
    names = ["x", "w", *(["b"] if bias else [])]
    graph = make_graph(tensors, [fully_connected("y", *names)], ["x"], ["y"])
    verify_quantized(graph)
    samples = rng.integers(-32768, 32768, (200, 2, 120)).astype(np.int16)

    (before,) = run_tflite(write_tflite(graph), [samples], reference_of(graph))
    lowered = lower_per_channel_fully_connected(graph)
    (after,) = run_tflite(write_tflite(lowered), [samples], reference_of(lowered))

    assert len(lowered.ops) == 3
    np.testing.assert_array_equal(after, before)


def test_a_16x8_layer_that_keeps_dimensions_computes_as_litert_has_it():
    """tflite-runtime 2.14 takes the rows for channels there, and gives wrong ones their scales."""
    weights = int8_weights("w", (5, 40), 0, seed=1)
    tensors = [
        Tensor("x", (1, 8, 40), DType.INT16, QuantParams.per_tensor(0.001, 0)),
        weights,
        Tensor("y", (1, 8, 5), DType.INT16, QuantParams.per_tensor(0.004, 0)),
    ]
    layers = [fully_connected("y", "x", "w", keep_num_dims=True)]
    graph = make_graph(tensors, layers, ["x"], ["y"])
    rng = np.random.default_rng(7)
    samples = rng.integers(-32768, 32768, (50, 1, 8, 40)).astype(np.int16)

    (right,) = run_tflite(write_tflite(graph), [samples], LITERT_REFERENCE)
    lowered = lower_per_channel_fully_connected(graph)
    (after,) = run_tflite(write_tflite(lowered), [samples], reference_of(lowered))

    if TFLITE_REFERENCE.is_installed:
        (wrong,) = run_tflite(write_tflite(graph), [samples], TFLITE_REFERENCE)
        assert (wrong != right).mean() > 0.5
    assert np.abs(after.astype(int) - right).max() <= 1  # LiteRT rounds once, here it is twice
    assert (after != right).mean() < 0.01


@pytest.mark.parametrize("graph", CASES.values(), ids=CASES)
def test_the_layer_becomes_a_convolution_between_reshapes(graph):
    lowered = lower_per_channel_fully_connected(graph)

    verify_quantized(lowered)
    assert [type(op).__name__ for op in lowered.ops] == ["Reshape", "Conv2D", "Reshape"]
    assert lowered.inputs == graph.inputs
    assert lowered.outputs == graph.outputs
    assert lowered.tensor("y") == graph.tensor("y")


def test_the_weights_keep_their_bytes_and_the_old_ones_go():
    graph = CASES["vector"]

    lowered = lower_per_channel_fully_connected(graph)

    (conv,) = [op for op in lowered.ops if isinstance(op, Conv2D)]
    filters = lowered.tensor(conv.inputs[1])
    assert filters.shape == (4, 1, 1, 6)
    assert filters.constant.tobytes() == graph.tensor("w").constant.tobytes()
    assert "w" not in lowered.tensors


def test_a_layer_with_one_scale_stays_a_fully_connected_layer():
    assert lower_per_channel_fully_connected(small_int8()) == small_int8()


def test_two_layers_of_the_same_weights_are_both_lowered():
    weights = int8_weights("w", (4, 4), 0)
    tensors = [weights, *(activation(name, (1, 4)) for name in "xyz")]
    ops = [fully_connected("y", "x", "w"), fully_connected("z", "y", "w")]
    graph = make_graph(tensors, ops, ["x"], ["z"])

    lowered = lower_per_channel_fully_connected(graph)

    verify_quantized(lowered)
    assert not any(isinstance(op, FullyConnected) for op in lowered.ops)


def test_lowering_leaves_its_place_in_the_schedule():
    lowered = prepare_for_device(branches_int8(per_channel=True))

    names = [type(op).__name__ for op in lowered.ops]
    assert names[-4:] == ["Reshape", "Reshape", "Conv2D", "Reshape"]


def test_preparing_twice_changes_nothing_more():
    once = prepare_for_device(branches_int8(per_channel=True))

    assert prepare_for_device(once) == once


def test_a_layer_of_a_constant_reads_the_constant_in_its_new_shape():
    weights = int8_weights("w", (3, 4), 0)
    quant = QuantParams.per_tensor(0.1, 0)
    state = Tensor("state", (1, 4), DType.INT8, quant, spread((1, 4)))
    tensors = [
        state,
        weights,
        activation("p", (1, 3)),
        activation("x", (1, 3)),
        activation("y", (1, 3)),
    ]
    ops = [fully_connected("p", "state", "w"), add("y", "p", "x")]

    lowered = prepare_for_device(make_graph(tensors, ops, ["x"], ["y"]))

    assert [op.kind for op in lowered.ops] == ["CONV_2D", "RESHAPE", "ADD"]
    assert lowered.tensor(lowered.ops[0].inputs[0]).constant.shape == (1, 1, 1, 4)
