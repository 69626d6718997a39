"""The first of the random networks; ``make soak`` runs all of them."""

import numpy as np
import pytest
from random_layers import LAYERS
from random_networks import (
    BOARDS,
    FEWEST_LAYERS,
    MOST_LAYERS,
    NETWORKS,
    board_of,
    case_of,
    expected_outputs,
    failures,
    operators_in,
    random_network,
)
from single_operator import samples_of

SLICE = 24


@pytest.mark.parametrize("board_name", ["host", *BOARDS])
def test_random_networks_give_the_bytes_of_the_reference_kernels(board_name):
    seeds = [seed for seed in range(SLICE) if board_name in {"host", board_of(seed)}]

    found = failures(seeds, board_name)

    assert not found, "\n".join(found)


def test_random_networks_hold_every_operator_of_the_table():
    assert len(operators_in(range(NETWORKS // 2))) == len(LAYERS)


def test_random_networks_are_of_all_lengths_branch_and_have_several_ends():
    graphs = [random_network(seed) for seed in range(NETWORKS // 2)]

    lengths = {len(graph.ops) for graph in graphs}
    assert (min(lengths), max(lengths)) == (FEWEST_LAYERS, MOST_LAYERS)
    assert all(any(len(ops) > 1 for ops in graph.consumers.values()) for graph in graphs[:3])
    assert any(len(graph.inputs) > 1 for graph in graphs)
    assert any(len(graph.outputs) > 3 for graph in graphs)


def test_a_seed_always_gives_the_same_network():
    assert random_network(7) == random_network(7)
    assert random_network(7) != random_network(8)


def test_most_random_networks_answer_differently_to_different_samples():
    cases = [case_of(random_network(seed)) for seed in range(SLICE)]

    answers = [expected_outputs(case) for case in cases]

    assert all(len(samples_of(case)[0]) > 1 for case in cases)
    assert np.mean([len(np.unique(answer, axis=0)) > 1 for answer in answers]) > 0.8
