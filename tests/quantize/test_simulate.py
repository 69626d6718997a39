"""What is imitated in real numbers is what the int8 kernels compute."""

from dataclasses import replace

import numpy as np
import pytest
from graphs import (
    activation,
    add,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    float_constant,
    float_weights,
    fully_connected,
    make_graph,
    max_pool_2d,
    mean,
    pad,
    relu,
    reshape,
    small_float,
    softmax,
    spread,
)

from tinyml.data.dataset import quantize_samples
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics import arrays
from tinyml.numerics.affine import quantize
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.post_training import assign_integers
from tinyml.quantize.prepare import Prepared, prepare_to_quantize
from tinyml.quantize.scheme import Override, Scheme
from tinyml.quantize.sensitivity import prepared_samples
from tinyml.quantize.simulate import Simulation, real_parameters, run_graph


def residual() -> Graph:
    """A block with a shortcut: two convolutions, ADD with its ReLU, the mean, FULLY_CONNECTED."""
    tensors = [
        activation("x", (1, 8, 8, 4), None),
        float_weights("w1", (4, 3, 3, 4), seed=1),
        float_constant("b1", spread((4,), seed=21)),
        activation("a", (1, 8, 8, 4), None),
        float_weights("w2", (4, 3, 3, 4), seed=2),
        float_constant("b2", spread((4,), seed=22)),
        activation("e", (1, 8, 8, 4), None),
        activation("c", (1, 8, 8, 4), None),
        activation("m", (1, 4), None),
        float_weights("w3", (3, 4), seed=3),
        float_constant("b3", spread((3,), seed=23)),
        activation("y", (1, 3), None),
    ]
    ops = [
        conv_2d("a", "x", "w1", "b1", padding=Padding.SAME, activation=Activation.RELU),
        conv_2d("e", "a", "w2", "b2", padding=Padding.SAME),
        add("c", "x", "e", Activation.RELU),
        mean("m", "c", (1, 2)),
        fully_connected("y", "m", "w3", "b3"),
    ]
    return make_graph(tensors, ops, ["x"], ["y"])


def branches() -> Graph:
    """Pooled and padded branches that are joined, moved and activated."""
    tensors = [
        activation("x", (1, 6, 6, 2), None),
        activation("p", (1, 3, 3, 2), None),
        float_weights("w", (1, 3, 3, 2), seed=4),
        float_constant("b", spread((2,), seed=24)),
        activation("d", (1, 6, 6, 2), None),
        activation("q", (1, 3, 3, 2), None),
        activation("j", (1, 3, 3, 4), None),
        activation("z", (1, 5, 5, 4), None),
        activation("r", (1, 5, 5, 4), None),
        activation("y", (1, 100), None),
    ]
    ops = [
        max_pool_2d("p", "x"),
        depthwise_conv_2d("d", "x", "w", "b"),
        max_pool_2d("q", "d"),
        concatenation("j", "p", "q", axis=3),
        pad("z", "j", ((0, 0), (1, 1), (1, 1), (0, 0))),
        relu("r", "z"),
        reshape("y", "r", (1, 100)),
    ]
    return make_graph(tensors, ops, ["x"], ["y"])


def classifier() -> Graph:
    tensors = [
        activation("x", (1, 12), None),
        float_weights("w1", (16, 12), seed=5),
        float_constant("b1", spread((16,), seed=25)),
        activation("a", (1, 16), None),
        float_weights("w2", (4, 16), seed=6),
        float_constant("b2", spread((4,), seed=26)),
        activation("e", (1, 4), None),
        activation("y", (1, 4), None),
    ]
    ops = [
        fully_connected("a", "x", "w1", "b1", activation=Activation.RELU6),
        fully_connected("e", "a", "w2", "b2"),
        softmax("y", "e"),
    ]
    return make_graph(tensors, ops, ["x"], ["y"])


def prepared(graph: Graph, scheme: Scheme) -> tuple[Prepared, Array]:
    shape = graph.tensor(graph.inputs[0]).shape[1:]
    samples = np.random.default_rng(7).normal(size=(40, *shape)).astype(np.float32)
    table = calibrate(graph, samples)
    return prepare_to_quantize(graph, table, scheme), samples


def simulated(model: Prepared, samples: Array, layers: set[str], *, inputs: bool) -> Array:
    hooks = Simulation(
        prepared=model, parameters=real_parameters(model), layers=layers, inputs=inputs
    )
    values = prepared_samples(model, [samples])
    (output,) = model.graph.outputs
    return run_graph(model.graph, arrays, values, hooks, [output])[output]


def without_softmax() -> Graph:
    """PAD, convolutions, ADD, pooling, MEAN and FULLY_CONNECTED, one after another.

    SOFTMAX would make three steps of one, where its input's are coarse.
    """
    graph = small_float()
    return replace(graph, ops=graph.ops[:-1], outputs=("logits",)).pruned()


def steps_apart(graph: Graph, scheme: Scheme) -> int:
    """How far what is imitated lies from what the reference kernels compute, at most."""
    model, samples = prepared(graph, scheme)
    imitated = simulated(model, samples, {op.name for op in model.graph.ops}, inputs=True)
    device = prepare_for_device(assign_integers(model))
    inputs = [device.tensor(name) for name in device.inputs]
    (expected,) = run_reference(device, quantize_samples([samples], inputs))
    (output,) = model.graph.outputs
    codes = quantize(imitated, model.params[output], scheme.activations)
    return int(np.abs(codes.astype(int) - expected.reshape(codes.shape)).max())


MODELS = [residual, branches, classifier, without_softmax]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(
    "scheme", [Scheme(), Scheme(per_channel=False)], ids=["per channel", "per tensor"]
)
def test_all_layers_imitated_are_within_one_step_of_the_int8_kernels(make, scheme):
    assert steps_apart(make(), scheme) <= 1


@pytest.mark.parametrize("make", [residual, branches, classifier])
def test_weights_of_four_bits_are_imitated_within_one_step_too(make):
    assert steps_apart(make(), Scheme(weight_bits=4)) <= 1


def test_layers_of_both_widths_are_imitated_within_one_step_too():
    wide = Override(layers="e", activations=DType.INT16)

    assert steps_apart(residual(), Scheme(overrides=(wide,))) <= 1


@pytest.mark.parametrize("make", MODELS)
def test_all_layers_imitated_are_within_a_tenth_of_an_int8_step_of_the_int16_kernels(make):
    assert steps_apart(make(), Scheme(activations=DType.INT16)) <= 25


def test_without_layers_and_inputs_the_float_graph_is_run():
    model, samples = prepared(residual(), Scheme())

    floats = simulated(model, samples, set(), inputs=False)

    np.testing.assert_allclose(
        floats, run_float(residual(), [samples[:, None]])[0][:, 0], atol=1e-5
    )
