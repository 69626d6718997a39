import re
from dataclasses import replace

import numpy as np
import pytest
from float_runs import assert_computes_the_same
from graphs import float_constant, relu
from separable import CHANNELS, images, scaled_apart, separable

from tinyml.data.metrics import signal_to_error
from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_float
from tinyml.ops.contract.activation import Activation
from tinyml.quantize.calibrate import iterate_activations
from tinyml.quantize.method import Improved, Task
from tinyml.quantize.methods.equalize import equalize
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.weights import rounded_weights
from tinyml.runtime.tflite import stacked

PER_TENSOR = Scheme(per_channel=False)
APART = 2.0 ** np.linspace(-4, 4, CHANNELS)
LAYERS = ("conv", "depthwise", "pointwise", "logits")


def equalized(graph: Graph, samples: np.ndarray | None = None, **task) -> Improved:
    samples = images(8) if samples is None else samples
    return equalize(graph, Task(samples=[samples], scheme=PER_TENSOR, **task))


def output(graph: Graph, samples: np.ndarray) -> np.ndarray:
    return stacked(iterate_activations(graph, [samples], graph.outputs))[0]


def with_rounded_weights(graph: Graph) -> Graph:
    """What per-tensor weights of eight bits leave of it."""
    ops = [op for op in graph.ops if op.name in LAYERS]
    return graph.with_tensors(*(rounded_weights(graph, op, PER_TENSOR) for op in ops))


def signal_per_tensor(graph: Graph) -> float:
    """dB of the output's signal to the error of weights rounded per tensor."""
    samples = images(16, seed=1)
    return signal_to_error(output(graph, samples), output(with_rounded_weights(graph), samples))


def test_the_float_function_stays():
    graph = scaled_apart(separable(), APART)

    changed = equalized(graph).graph

    verify_float(changed)
    samples = images(16, seed=1)
    expected, got = output(graph, samples), output(changed, samples)
    assert np.abs(got - expected).max() < 1e-5 * np.abs(expected).max()


def test_channels_apart_by_two_to_the_eighth_gain_20_db_per_tensor():
    apart = scaled_apart(separable(), APART)
    before, after = signal_per_tensor(apart), signal_per_tensor(equalized(apart).graph)

    assert before < 20
    assert after > before + 20
    assert after > signal_per_tensor(separable()) - 3


def test_both_layers_have_the_same_range_in_every_channel():
    changed = equalized(scaled_apart(separable(), APART)).graph

    made = np.abs(changed.tensor("depthwise/w").data).max(axis=(0, 1, 2))
    read = np.abs(changed.tensor("pointwise/w").data).max(axis=(0, 1, 2))
    np.testing.assert_allclose(made, read, rtol=0.01)


def test_it_says_what_each_layer_gained():
    changes = equalized(scaled_apart(separable(), APART)).changes

    assert list(changes) == list(LAYERS)
    before, after = map(float, re.findall(r"(-?[\d.]+) dB", changes["depthwise"]))
    assert before < 5
    assert after > 35


def test_a_channel_without_weights_stays_as_it_is():
    graph = separable()
    weights = graph.tensor("depthwise/w").data.copy()
    weights[..., 3] = 0
    graph = graph.with_tensors(float_constant("depthwise/w", weights))

    changed = equalized(graph).graph

    assert_computes_the_same(graph, changed)
    assert not changed.tensor("depthwise/w").data[..., 3].any()


def test_a_relu6_that_no_sample_fills_becomes_a_relu():
    graph = separable(fused=Activation.RELU6)
    low = images(4) / 100

    changed = equalized(graph, low).graph

    kinds = {op.name: op.activation for op in changed.ops if hasattr(op, "activation")}
    assert kinds["conv"] is Activation.RELU
    np.testing.assert_allclose(output(changed, low), output(graph, low), rtol=1e-5, atol=1e-6)


def test_a_relu6_that_reaches_6_keeps_its_pair_as_it_is_and_says_so():
    graph = separable(fused=Activation.RELU6)

    improved = equalized(graph, images(4) * 100)

    assert improved.graph.tensor("conv/w") == graph.tensor("conv/w")
    assert "RELU6 reaches 6" in improved.changes["conv"]


def test_a_layer_with_two_readers_is_left_alone():
    graph = separable()
    graph = replace(graph, outputs=(*graph.outputs, "depthwise"))

    changed = equalized(graph).graph

    assert changed.tensor("pointwise/w").data.tolist() != graph.tensor("pointwise/w").data.tolist()
    np.testing.assert_allclose(
        *(
            stacked(iterate_activations(g, [images(4)], ("depthwise",)))[0]
            for g in (graph, changed)
        ),
        rtol=1e-4,
        atol=1e-5,
    )


def test_layers_that_are_not_allowed_stay():
    graph = scaled_apart(separable(), APART)

    changed = equalized(graph, layers=frozenset({"conv", "depthwise"})).graph

    assert changed.tensor("pointwise/w") == graph.tensor("pointwise/w")
    assert changed.tensor("conv/w") != graph.tensor("conv/w")


@pytest.mark.parametrize("multiplier", [2, 3])
def test_depthwise_filters_with_several_outputs_a_channel_share_their_inputs_factor(multiplier):
    rng = np.random.default_rng(0)
    graph = separable()
    outputs = CHANNELS * multiplier
    tensors = [
        float_constant("depthwise/w", rng.normal(size=(1, 3, 3, outputs))),
        float_constant("depthwise/b", rng.normal(size=outputs)),
        float_constant("pointwise/w", rng.normal(size=(CHANNELS, 1, 1, outputs))),
        replace(graph.tensor("depthwise"), shape=(1, 4, 4, outputs)),
    ]
    ops = [replace(op, multiplier=multiplier) if op.name == "depthwise" else op for op in graph.ops]
    graph = replace(graph.with_tensors(*tensors), ops=tuple(ops))

    changed = equalized(graph).graph

    assert changed.tensor("depthwise/w") != graph.tensor("depthwise/w")
    samples = images(4)
    np.testing.assert_allclose(output(changed, samples), output(graph, samples), rtol=1e-4)


def test_a_relu_of_its_own_between_two_layers_is_passed_through():
    graph = separable(fused=Activation.NONE)
    ops = list(graph.ops)
    ops.insert(1, relu("rectified", "conv"))
    ops[2] = replace(ops[2], inputs=("rectified",))
    graph = replace(
        graph.with_tensors(replace(graph.tensor("conv"), name="rectified")), ops=tuple(ops)
    )

    changed = equalized(scaled_apart(graph, APART)).graph

    assert_computes_the_same(graph, changed)
    assert changed.tensor("conv/w") != graph.tensor("conv/w")
