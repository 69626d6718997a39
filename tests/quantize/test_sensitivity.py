"""Where accuracy goes, on small networks in which it is known."""

import numpy as np
import pytest
from graphs import (
    activation,
    add,
    conv_2d,
    float_constant,
    fully_connected,
    make_graph,
    small_float,
    spread,
)

from tinyml.data.dataset import Dataset, drawn_samples
from tinyml.data.metrics import EXACT
from tinyml.errors import InputError
from tinyml.ir.graph import Array, DType, Graph
from tinyml.ops.contract.activation import Activation
from tinyml.quantize import sensitivity
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.linear import linear_layers
from tinyml.quantize.observers import ObserverKind, observer_factory
from tinyml.quantize.prepare import Prepared, prepare_to_quantize
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.sensitivity import INPUT, Sensitivity, measure_sensitivity
from tinyml.quantize.weights import rounded_weights


def three_layers(first: Array, second: Array) -> Graph:
    """Two 1x1 convolutions with these weights (outputs, inputs), and FULLY_CONNECTED."""
    tensors = [
        activation("x", (1, 1, 1, 4), None),
        float_constant("w1", first.reshape(4, 1, 1, 4)),
        float_constant("b1", np.zeros(4, np.float32)),
        activation("a", (1, 1, 1, 4), None),
        float_constant("w2", second.reshape(4, 1, 1, 4)),
        float_constant("b2", np.zeros(4, np.float32)),
        activation("c", (1, 1, 1, 4), None),
        float_constant("w3", spread((3, 4), seed=9)),
        float_constant("b3", np.zeros(3, np.float32)),
        activation("y", (1, 3), None),
    ]
    ops = [
        conv_2d("a", "x", "w1", "b1"),
        conv_2d("c", "a", "w2", "b2"),
        fully_connected("y", "c", "w3", "b3"),
    ]
    return make_graph(tensors, ops, ["x"], ["y"])


EVEN = spread((4, 4), seed=1), spread((4, 4), seed=2)
# One row's weights are 200 times the others'; what it makes is scaled back by the next layer.
APART = np.array([200, 1, 1, 1], np.float32)[:, None] * EVEN[0]
BACK = EVEN[1] / np.array([200, 1, 1, 1], np.float32)


def drawn(count: int = 60, seed: int = 3) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 1, 1, 1, 4)).astype(np.float32)


def prepared(
    graph: Graph, samples: Array, scheme: Scheme | None = None, observer: str = "minmax"
) -> Prepared:
    table = calibrate(graph, samples, observer_factory(ObserverKind(observer), 90))
    return prepare_to_quantize(graph, table, scheme or Scheme())


def measured(graph: Graph, samples: Array, labels: Array | None = None, **kinds) -> Sensitivity:
    return measure_sensitivity(prepared(graph, samples, **kinds), Dataset(samples, labels))


def rows(result: Sensitivity) -> dict[str, sensitivity.LayerSensitivity]:
    return {layer.name: layer for layer in result.layers}


def test_the_layer_whose_one_scale_has_to_hold_channels_apart_comes_first():
    result = measured(three_layers(APART, BACK), drawn(), scheme=Scheme(per_channel=False))

    first = result.layers[0]
    assert first.name == "a"
    assert first.is_one_scale
    assert first.channel_ratio > 50
    assert first.alone_db < rows(result)["y"].alone_db - 30


def test_without_the_layer_that_costs_most_the_others_are_nearer_to_float():
    result = measured(three_layers(APART, BACK), drawn(), scheme=Scheme(per_channel=False))

    assert rows(result)["a"].without_db > result.quantized_db + 5
    assert rows(result)["y"].without_db == pytest.approx(result.quantized_db, abs=3)


def test_four_bits_cost_the_weights_24_decibels_and_the_activations_nothing():
    graph, samples = three_layers(*EVEN), drawn()
    eight, four = (
        rows(measured(graph, samples, scheme=Scheme(weight_bits=bits)))["a"] for bits in (8, 4)
    )

    assert (eight.weight_bits, four.weight_bits) == (8, 4)
    assert eight.weights_db - four.weights_db == pytest.approx(25, abs=4)
    assert eight.activations_db == four.activations_db


def test_what_lies_beyond_a_range_is_counted_and_makes_most_of_the_error():
    samples = drawn(400)

    whole = rows(measured(three_layers(*EVEN), samples))["a"]
    cut = rows(measured(three_layers(*EVEN), samples, observer="percentile"))["a"]

    assert whole.clipped < 0.01
    assert cut.clipped == pytest.approx(0.2, abs=0.05)
    assert cut.clipping_error > 0.9


def test_an_outlier_stands_out_of_the_root_mean_square():
    samples = drawn(100)
    samples[17] *= 50

    assert rows(measured(three_layers(*EVEN), samples))["a"].peak_ratio > 8


def test_the_input_is_a_layer_of_its_own():
    samples = drawn()
    samples[0] *= 300  # it leaves the others a step or two

    result = measured(three_layers(*EVEN), samples)

    assert rows(result)[INPUT].weights_db is None
    assert rows(result)[INPUT].operator == ""
    assert rows(result)[INPUT].activations_db < 60


def test_integers_of_sixteen_bits_leave_next_to_no_error():
    result = measured(three_layers(*EVEN), drawn(), scheme=Scheme(activations=DType.INT16))

    assert min(layer.activations_db for layer in result.layers) > 80


def test_scores_are_of_the_labels_and_none_without():
    graph, samples = three_layers(*EVEN), drawn()
    plain = measured(graph, samples)
    labels = np.arange(60) % 3
    labelled = measured(graph, samples, labels)

    assert (plain.float_score, plain.quantized_score) == (None, None)
    assert {layer.alone_score for layer in plain.layers} == {None}
    assert 0 < labelled.float_score < 1
    assert all(0 < layer.alone_score < 1 for layer in labelled.layers)
    assert [layer.alone_db for layer in labelled.layers] == [
        layer.alone_db for layer in plain.layers
    ]


def test_batches_of_any_size_find_the_same(monkeypatch):
    graph, samples = small_float(), np.random.default_rng(0).normal(size=(9, 6, 6, 2))
    samples = samples.astype(np.float32)
    at_once = measured(graph, samples)
    monkeypatch.setattr(sensitivity, "BATCH_BYTES", 10_000)
    seen = []

    in_parts = measure_sensitivity(prepared(graph, samples), Dataset(samples), seen.append)

    assert len(seen) > 1
    assert seen[-1] == 9
    assert [layer.name for layer in in_parts.layers] == [layer.name for layer in at_once.layers]
    for part, whole in zip(in_parts.layers, at_once.layers, strict=True):
        assert part.alone_db == pytest.approx(whole.alone_db, abs=0.01)


def test_what_moves_integers_is_no_layer():
    graph = small_float()

    names = set(rows(measured(graph, np.ones((3, 6, 6, 2), np.float32) * [1, 2])))

    assert "flat" not in names
    assert {"logits", "sum", INPUT} < names


def test_samples_are_drawn_by_a_seed_with_their_labels():
    data = Dataset(np.arange(50, dtype=np.float32)[:, None], np.arange(50))

    few = drawn_samples(data, 7)

    assert len(few) == 7
    assert np.array_equal(few.samples[0][:, 0], few.labels)
    assert np.array_equal(few.labels, drawn_samples(data, 7).labels)
    assert not np.array_equal(few.labels, drawn_samples(data, 7, seed=1).labels)
    assert drawn_samples(data, 50) is data


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(InputError, match="label 3 of sample 0 is no class"):
        measured(three_layers(*EVEN), drawn(), np.full(60, 3))


def test_inputs_without_a_batch_are_run_one_by_one():
    tensors = [
        activation("x", (4,), None),
        float_constant("c", np.ones(4, np.float32)),
        activation("y", (4,), None),
    ]
    graph = make_graph(tensors, [add("y", "x", "c", Activation.RELU)], ["x"], ["y"])
    samples = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)

    result = measured(graph, samples)

    assert result.samples == 6
    assert 30 < result.quantized_db < EXACT


def test_weights_that_make_up_for_rounding_are_compared_with_those_they_had():
    graph, samples = three_layers(*EVEN), drawn()
    model = prepared(graph, samples, Scheme(weight_bits=4))
    rounded = graph.with_tensors(
        *(rounded_weights(graph, op, Scheme(weight_bits=4)) for op in linear_layers(graph))
    )
    on_grid = prepared(rounded, samples, Scheme(weight_bits=4))
    data = Dataset(samples)

    plain = rows(measure_sensitivity(model, data))["a"]
    compared = rows(measure_sensitivity(on_grid, data, floats=model.graph))["a"]

    assert rows(measure_sensitivity(on_grid, data))["a"].weights_db == EXACT
    assert compared.weights_db == pytest.approx(plain.weights_db)
    assert compared.alone_db == pytest.approx(plain.alone_db, abs=1)
