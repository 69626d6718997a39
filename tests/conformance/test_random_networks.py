"""The first of the random networks; ``make soak`` runs all of them."""

from functools import cache

import numpy as np
import pytest
from layers.network import FEWEST_LAYERS, MOST_LAYERS
from layers.table import EXCLUDED, LAYERS
from merged import merge, reference_outputs
from random_networks import (
    BOARDS,
    NETWORKS,
    board_of,
    case_of,
    failures,
    operators_in,
    random_network,
)
from single_operator import samples_of

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.registry import operator_classes
from tinyml.ops.quantize import Quantize

SLICE = 24


@cache
def networks() -> list[Graph]:
    return [random_network(seed) for seed in range(NETWORKS)]


@pytest.mark.parametrize("board_name", ["host", *BOARDS])
def test_random_networks_give_the_bytes_of_the_reference_kernels(board_name):
    seeds = [seed for seed in range(SLICE) if board_name in {"host", board_of(seed)}]

    found = failures(seeds, board_name)

    assert not found, "\n".join(found)


def test_every_operator_is_drawn_or_has_a_reason_why_not():
    implemented = {cls.__module__.rpartition(".")[2] for cls in operator_classes()}

    assert sorted([*LAYERS, *EXCLUDED]) == sorted(implemented)
    assert all(EXCLUDED.values())


def test_every_operator_that_is_drawn_is_in_some_network():
    assert set(operators_in(range(NETWORKS))) == set(LAYERS)


def test_random_networks_are_of_all_lengths_branch_and_have_several_ends():
    lengths = {len(graph.ops) for graph in networks()}

    assert (min(lengths), max(lengths)) == (FEWEST_LAYERS, MOST_LAYERS)
    branching = [any(len(ops) > 1 for ops in graph.consumers.values()) for graph in networks()]
    assert np.mean(branching) > 0.8
    assert any(len(graph.inputs) > 1 for graph in networks())
    assert any(len(graph.outputs) > 3 for graph in networks())


def test_random_networks_are_int8_int16_and_change_from_one_to_the_other():
    inputs = [graph.tensor(graph.inputs[0]).dtype for graph in networks() if graph.inputs]
    changes = {
        (graph.tensor(op.inputs[0]).dtype, op.dtype)
        for graph in networks()
        for op in graph.ops
        if isinstance(op, Quantize)
    }

    assert inputs.count(DType.INT16) > NETWORKS / 8
    assert {(DType.INT8, DType.INT16), (DType.INT16, DType.INT8)} <= changes


def test_some_random_networks_keep_something_between_inferences():
    assert sum(bool(graph.states) for graph in networks()) > NETWORKS / 8


def test_a_seed_always_gives_the_same_network():
    assert random_network(7) == random_network(7)
    assert random_network(7) != random_network(8)


def test_most_random_networks_answer_differently_to_different_samples():
    cases = [case_of(graph) for graph in networks()[:SLICE]]

    answers = [reference_outputs(merge([case]))[0] for case in cases]

    assert all(len(samples_of(case)[0]) > 1 for case in cases)
    assert np.mean([len(np.unique(answer, axis=0)) > 1 for answer in answers]) > 0.8
