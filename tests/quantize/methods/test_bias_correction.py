from dataclasses import replace

import numpy as np
from graphs import activation, conv_2d, float_constant, make_graph
from separable import images, separable

from tinyml.ir.graph import Graph
from tinyml.ops.contract.activation import Activation
from tinyml.quantize.calibrate import iterate_activations
from tinyml.quantize.linear import linear_layers
from tinyml.quantize.method import Improved, Task
from tinyml.quantize.methods.bias_correction import correct_biases
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.weights import rounded_weights
from tinyml.runtime.tflite import stacked

FOUR_BITS = Scheme(weight_bits=4)


def corrected(graph: Graph, **task) -> Improved:
    return correct_biases(graph, Task(samples=[images(32)], scheme=FOUR_BITS, **task))


def rounded(graph: Graph) -> Graph:
    return graph.with_tensors(
        *(rounded_weights(graph, op, FOUR_BITS) for op in linear_layers(graph))
    )


def mean_of(graph: Graph, name: str) -> np.ndarray:
    values = stacked(iterate_activations(graph, [images(32)], (name,)))[0]
    return values.reshape(-1, values.shape[-1]).astype(np.float64).mean(axis=0)


def test_the_mean_error_of_every_layer_is_gone():
    graph = separable(fused=Activation.NONE)

    changed = corrected(graph).graph

    for name in ("conv", "depthwise", "pointwise", "logits"):
        before = np.abs(mean_of(rounded(graph), name) - mean_of(graph, name)).max()
        after = np.abs(mean_of(rounded(changed), name) - mean_of(graph, name)).max()
        assert after < 2e-6, name
        assert before > 1e-3, name


def test_it_is_gone_at_the_output_behind_activations_too():
    graph = separable()

    changed = corrected(graph).graph

    before = np.abs(mean_of(rounded(graph), "logits") - mean_of(graph, "logits")).max()
    after = np.abs(mean_of(rounded(changed), "logits") - mean_of(graph, "logits")).max()
    assert after < 1e-5 < before


def test_only_biases_change():
    graph = separable()

    changed = corrected(graph).graph

    names = {name for name in graph.tensors if changed.tensor(name) != graph.tensor(name)}
    assert names == {"conv/b", "depthwise/b", "pointwise/b", "logits/b"}


def test_a_layer_without_a_bias_gets_one():
    graph = separable(fused=Activation.NONE)
    last = replace(graph.ops[-1], inputs=graph.ops[-1].inputs[:2])
    graph = replace(graph, ops=(*graph.ops[:-1], last)).pruned()

    changed = corrected(graph).graph

    np.testing.assert_allclose(
        mean_of(rounded(changed), "logits"), mean_of(graph, "logits"), atol=1e-6
    )


def test_layers_that_share_a_bias_are_corrected_apart():
    rng = np.random.default_rng(0)
    tensors = [
        activation("image", (1, 8, 8, 3), None),
        float_constant("first/w", rng.normal(size=(3, 1, 1, 3))),
        float_constant("second/w", rng.normal(size=(3, 1, 1, 3))),
        float_constant("b", rng.normal(size=3)),
        activation("first", (1, 8, 8, 3), None),
        activation("second", (1, 8, 8, 3), None),
    ]
    ops = [conv_2d("first", "image", "first/w", "b"), conv_2d("second", "first", "second/w", "b")]
    graph = make_graph(tensors, ops, ["image"], ["second"])

    changed = corrected(graph).graph

    for name in ("first", "second"):
        np.testing.assert_allclose(mean_of(rounded(changed), name), mean_of(graph, name), atol=1e-5)


def test_layers_that_are_not_allowed_keep_their_bias():
    graph = separable()

    improved = corrected(graph, layers=frozenset({"pointwise"}))

    assert list(improved.changes) == ["pointwise"]
    assert improved.changes["pointwise"].startswith("mean error ")
    assert improved.graph.tensor("conv/b") == graph.tensor("conv/b")
