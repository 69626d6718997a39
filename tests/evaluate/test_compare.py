"""The comparison itself; tests/cli has the command around it."""

import numpy as np
import pytest
from graphs import activation, branches_int8, concatenation, make_graph, relu, small_int8, spread

from tinyml.data.dataset import Dataset
from tinyml.errors import InputError
from tinyml.evaluate.compare import compare_model
from tinyml.firmware.boards import load_board
from tinyml.numerics.affine import dequantize


def two_inputs(scale: float | None, order: tuple[str, str]) -> object:
    """The rectified concatenation of a and b, whose inputs stand in this order."""
    tensors = [
        activation("a", (1, 3), scale),
        activation("b", (1, 3), scale),
        activation("both", (1, 6), scale),
        activation("scores", (1, 6), scale),
    ]
    ops = [concatenation("both", "a", "b", axis=1), relu("scores", "both")]
    return make_graph(tensors, ops, order, ["scores"])


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_float_model_gets_its_samples_by_input_name(order):
    data = Dataset((spread((8, 3)) / np.float32(20), spread((8, 3), 1) / np.float32(20)), None)

    result = compare_model(
        two_inputs(0.05, ("a", "b")),
        data,
        load_board("host"),
        float_graph=two_inputs(None, order),
    )

    assert result.float_agreement == 1.0


def test_raw_int8_samples_and_the_real_numbers_they_stand_for_compare_alike():
    graph = two_inputs(0.05, ("a", "b"))
    raw = (spread((8, 3)), spread((8, 3), 1))
    real = tuple(dequantize(array, graph.tensor("a").quant) for array in raw)

    results = [
        compare_model(
            graph,
            Dataset(samples, np.zeros(8, np.int64)),
            load_board("host"),
            float_graph=two_inputs(None, ("a", "b")),
        )
        for samples in (raw, real)
    ]

    assert results[0] == results[1]
    assert results[0].float_accuracy == results[0].device_accuracy


def test_every_byte_of_every_output_is_compared():
    data = Dataset((spread((5, 2, 3)) / np.float32(90), spread((5, 2, 3), 1)), None)

    result = compare_model(branches_int8(), data, load_board("host"))

    assert result.compared_bytes == 5 * (2 * 4 + 4 * 3)
    assert result.mismatched_bytes == 0
    assert result.passed


def test_the_first_output_is_the_one_with_the_classes():
    data = Dataset((spread((5, 2, 3)) / np.float32(90), spread((5, 2, 3), 1)), np.full(5, 7))

    result = compare_model(branches_int8(), data, load_board("host"))

    assert 0 <= result.device_accuracy <= 1
    with pytest.raises(InputError, match="no class of output 'fc/float', expected 0 to 7"):
        compare_model(branches_int8(), Dataset(data.samples, np.full(5, 8)), load_board("host"))


def test_progress_reaches_the_number_of_samples():
    seen = []

    compare_model(
        small_int8(),
        Dataset((spread((6, 6, 6, 2)),), None),
        load_board("host"),
        on_progress=seen.append,
    )

    assert seen[-1] == 6


def test_the_host_has_no_instructions_and_a_board_has():
    data = Dataset((spread((2, 6, 6, 2)),), None)

    host, board = (
        compare_model(small_int8(), data, load_board(name)) for name in ("host", "mps2-an386")
    )

    assert host.instructions_per_inference is None
    assert host.stack_bytes is None
    assert board.instructions_per_inference > 1000
    assert board.arena_bytes <= board.ram_bytes


def autoencoder(scale: float | None) -> object:
    """Reconstructs positive numbers, and no others."""
    tensors = [activation("x", (1, 4), scale), activation("same", (1, 4), scale)]
    return make_graph(tensors, [relu("same", "x")], ["x"], ["same"])


def test_an_autoencoder_is_judged_by_how_its_error_tells_anomalies_apart():
    positive = np.abs(spread((6, 4))) / np.float32(40)
    samples = np.concatenate([positive, -positive])
    labels = np.repeat([0, 1], 6)

    result = compare_model(
        autoencoder(0.05),
        Dataset((samples,), labels, "reconstruction_auc"),
        load_board("host"),
        float_graph=autoencoder(None),
        max_accuracy_drop=0,
    )

    assert (result.metric, result.passed) == ("reconstruction_auc", True)
    assert result.float_accuracy == result.reference_accuracy == result.device_accuracy == 1
    assert result.float_agreement is None


@pytest.mark.parametrize(
    ("metric", "labels", "graph", "complaint"),
    [
        ("f1", [0, 1], autoencoder(0.05), "'f1', expected accuracy or reconstruction_auc"),
        ("reconstruction_auc", [0, 2], autoencoder(0.05), "label 2 of sample 1"),
        ("reconstruction_auc", [1, 1], autoencoder(0.05), "all labels are 1"),
        ("reconstruction_auc", [0, 1], two_inputs(0.05, ("a", "b")), "has another size"),
    ],
)
def test_a_metric_that_does_not_suit_is_refused(metric, labels, graph, complaint):
    samples = tuple(spread((2, *graph.tensor(name).shape[1:])) for name in graph.inputs)
    data = Dataset(samples, np.array(labels), metric)

    with pytest.raises(InputError, match=complaint):
        compare_model(graph, data, load_board("host"))
