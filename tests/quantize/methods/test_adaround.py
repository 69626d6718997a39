"""Rounding that is learned, on samples whose neighbouring pixels are alike."""

from functools import partial

import numpy as np
import pytest
from graphs import (
    activation,
    conv_2d,
    depthwise_conv_2d,
    float_constant,
    fully_connected,
    make_graph,
    mean,
)
from separable import images, separable

from tinyml.data.metrics import signal_to_error
from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_float
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding
from tinyml.quantize.calibrate import calibrate, iterate_activations
from tinyml.quantize.linear import linear_layers
from tinyml.quantize.method import Improved, Task
from tinyml.quantize.methods.adaround import adaround
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.second_moments import columned_layers, rows_of, second_moments, weights_of
from tinyml.quantize.weights import rounded_weights
from tinyml.runtime.tflite import stacked

FOUR_BITS = Scheme(weight_bits=4)
ITERATIONS = 1000


def smooth(count: int, seed: int = 0) -> np.ndarray:
    """Samples (count, 1, 8, 8, 3) in [0, 1] of which a few cosines make every pixel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:8, :8] / 8
    waves = np.stack([np.cos(np.pi * (a * y + b * x)) for a in range(3) for b in range(3)])
    drawn = rng.normal(size=(count, 9, 3)) / 2
    return np.clip(np.einsum("nwc,wyx->nyxc", drawn, waves) / 4 + 0.5, 0, 1)[:, None].astype(
        np.float32
    )


def small_network(seed: int = 0) -> Graph:
    """Two convolutions of 16 channels, mean, fully connected."""
    rng = np.random.default_rng(seed)

    def weights(name: str, *shape: int):
        return float_constant(name, rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])))

    tensors = [
        activation("image", (1, 8, 8, 3), None),
        weights("first/w", 16, 3, 3, 3),
        float_constant("first/b", np.zeros(16)),
        activation("first", (1, 8, 8, 16), None),
        weights("second/w", 16, 3, 3, 16),
        float_constant("second/b", np.zeros(16)),
        activation("second", (1, 4, 4, 16), None),
        activation("means", (1, 16), None),
        weights("logits/w", 5, 16),
        float_constant("logits/b", np.zeros(5)),
        activation("logits", (1, 5), None),
    ]
    conv = partial(conv_2d, padding=Padding.SAME, activation=Activation.RELU)
    ops = [
        conv("first", "image", "first/w", "first/b"),
        conv("second", "first", "second/w", "second/b", stride=(2, 2)),
        mean("means", "second", (1, 2)),
        fully_connected("logits", "means", "logits/w", "logits/b"),
    ]
    graph = make_graph(tensors, ops, ["image"], ["logits"], "small_network")
    verify_float(graph)
    return graph


def rounded(graph: Graph, scheme: Scheme = FOUR_BITS) -> Graph:
    """To the nearest, or as the weights carry it."""
    return graph.with_tensors(*(rounded_weights(graph, op, scheme) for op in linear_layers(graph)))


def learned(graph: Graph, scheme: Scheme = FOUR_BITS, **task) -> Improved:
    return adaround(graph, Task(samples=[smooth(64)], scheme=scheme, **task), ITERATIONS)


def output(graph: Graph) -> np.ndarray:
    return stacked(iterate_activations(graph, [smooth(64, seed=1)], graph.outputs))[0]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("per_channel", [True, False])
def test_four_bits_lose_several_db_less_than_rounded_to_the_nearest(seed, per_channel):
    graph = small_network(seed)
    scheme = Scheme(weight_bits=4, per_channel=per_channel)

    nearest = rounded(graph, scheme)
    improved = adaround(graph, Task(samples=[smooth(64)], scheme=scheme)).graph

    expected = output(graph)
    gain = signal_to_error(expected, output(improved)) - signal_to_error(expected, output(nearest))
    assert gain > 5


def test_the_integers_that_were_learned_are_those_of_the_quantized_graph():
    graph = small_network()
    improved = learned(graph).graph

    quantized = quantize_graph(improved, calibrate(improved, smooth(8)), FOUR_BITS)

    for name in ("first/w", "second/w", "logits/w"):
        weights = improved.tensor(name)
        assert quantized.tensor(name).quant == weights.quant
        steps = np.array(weights.quant.scale).reshape(-1, *[1] * (weights.data.ndim - 1))
        np.testing.assert_array_equal(quantized.tensor(name).data, np.rint(weights.data / steps))
        assert np.abs(quantized.tensor(name).data).max() <= 7


def test_it_says_what_each_layer_gained():
    changes = learned(small_network()).changes

    assert list(changes) == ["first", "second", "logits"]
    assert changes["second"].startswith("sums ")
    assert " dB before, " in changes["second"]


def test_layers_that_are_not_allowed_stay():
    graph = small_network()

    changed = learned(graph, layers=frozenset({"second"})).graph

    assert {n for n in graph.tensors if changed.tensor(n) != graph.tensor(n)} == {"second/w"}


@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
@pytest.mark.parametrize("padding", Padding)
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (partial(conv_2d, dilation=(1, 1)), (5, 3, 2, 3)),
        (partial(conv_2d, dilation=(2, 2)), (5, 2, 2, 3)),
        (partial(depthwise_conv_2d, multiplier=2), (1, 3, 3, 6)),
    ],
)
def test_second_moments_give_the_power_of_a_layers_sums(make, shape, stride, padding):
    if make.keywords.get("dilation") == (2, 2):
        stride = (1, 1)
    rng = np.random.default_rng(0)
    weights = float_constant("w", rng.normal(size=shape))
    bias = float_constant("b", np.zeros(shape[3] if shape[0] == 1 else shape[0]))
    op = make("y", "x", "w", "b", stride=stride, padding=padding)
    x = activation("x", (1, 8, 8, 3), None)
    (spec,) = op.infer(make_graph([x, weights, bias], [], ["x"], []))
    graph = make_graph([x, weights, bias, activation("y", spec.shape, None)], [op], ["x"], ["y"])

    (moments,) = second_moments(graph, list(columned_layers(graph)), Task(samples=[images(4)]))

    rows = rows_of(op, weights.constant.astype(np.float64))
    power = ((rows @ moments) * rows).sum(axis=2).reshape(-1)
    sums = stacked(iterate_activations(graph, [images(4)], ("y",)))[0]
    np.testing.assert_allclose(power, (sums**2).mean(axis=(0, 1, 2, 3)), rtol=1e-4)
    np.testing.assert_array_equal(weights_of(op, rows, shape), weights.constant)


def test_weights_that_are_all_zero_stay_so():
    graph = separable()
    zeros = float_constant("depthwise/w", np.zeros((1, 3, 3, 8)))

    improved = adaround(
        graph.with_tensors(zeros), Task(samples=[images(4)], scheme=FOUR_BITS), iterations=10
    )

    assert not improved.graph.tensor("depthwise/w").data.any()
    assert improved.changes["depthwise"] == "weights are on their grid already"


def test_a_layer_that_reads_zeros_alone_gets_the_least_error_of_the_weights_themselves():
    graph = small_network()
    graph = graph.with_tensors(float_constant("first/b", np.full(16, -100.0)))

    weights, improved, nearest = (
        each.tensor("second/w").data for each in (graph, learned(graph).graph, rounded(graph))
    )

    assert signal_to_error(weights, improved) > signal_to_error(weights, nearest)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_scale_of_the_data_does_not_matter(factor):
    graph = small_network()
    task = Task(samples=[smooth(16)], scheme=FOUR_BITS)
    scaled = Task(samples=[smooth(16) * np.float32(factor)], scheme=FOUR_BITS)

    first = adaround(graph, task, 200).graph.tensor("first/w").data
    again = adaround(graph, scaled, 200).graph.tensor("first/w").data

    assert (first != again).mean() < 0.02


def test_eight_bits_never_lose():
    graph = small_network()
    scheme = Scheme()

    improved = learned(graph, scheme).graph

    expected = output(graph)
    nearest = signal_to_error(expected, output(rounded(graph, scheme)))
    assert signal_to_error(expected, output(improved)) > nearest
