"""Every kernel that may be chosen gives the reference's bytes, also where another is preferred."""

from functools import cache
from typing import Any

import pytest
from merged import device_outputs, differences, merge, reference_outputs
from modules import module_of
from single_operator import Case, cases_of, some_of

from tinyml.evaluate.oracle import Oracles
from tinyml.firmware.boards import load_board
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.kernels import all_candidates, candidates_for
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.contract.target import CMSIS_NN_VERSIONS, Target
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.passes.orders import prepare_for_device
from tinyml.plan.choose import kernel_set

# A board for each class of core.
BOARDS = ("mps2-an385", "mps2-an386", "mps3-an547")
# The file of cases of each operator that has candidates.
CASES = {
    AveragePool2D: "average_pool_2d",
    Conv2D: "conv_2d",
    DepthwiseConv2D: "depthwise_conv_2d",
    FullyConnected: "fully_connected",
}
ONE_OF_EACH_CORE = [frozenset([isa]) for isa in Isa]


def target_of(board_name: str) -> Target:
    isas = frozenset([Isa(load_board(board_name).isa)])
    return Target(isas=isas, cmsis_nn=find_cmsis_nn().interface)


@cache
def cases_of_class(cls: type[Operator]) -> tuple[tuple[Case, Graph, Operator], ...]:
    """Cases that reach the device as one operator of a class, with an oracle of their bytes."""
    prepared = ((case, prepare_for_device(case.graph)) for case in cases_of(CASES[cls]))
    return tuple(
        (case, graph, op)
        for case, graph in prepared
        for op in operators(graph)
        if type(op) is cls and len(graph.ops) == 1 and not Oracles(case.graph).errors
    )


def computed_by(candidate: Candidate[Any], target: Target) -> list[Case]:
    """Cases that a candidate does not refuse."""
    if not candidate.exists_on(target):
        return []
    return [
        case
        for case, graph, op in cases_of_class(candidate.computes)
        if graph.tensor(op.inputs[0]).dtype in candidate.functions
        if candidate.refusal(op, graph) is None
    ]


def left_out(candidate: Candidate[Any], target: Target) -> set[str]:
    """Names of the cases that it is left out of, because it does not pay."""
    return {
        case.name
        for case, graph, op in cases_of_class(candidate.computes)
        if candidate.concerns(op, graph) and candidate.does_not_pay(op, graph, target)
    }


def test_every_operator_with_candidates_is_looked_at():
    assert {candidate.computes for candidate in all_candidates()} == set(CASES)


def test_a_candidate_lies_in_the_file_of_the_function_it_calls():
    for candidate in all_candidates():
        assert all(name.startswith(candidate.name) for name in candidate.functions.values())


@pytest.mark.parametrize("candidate", all_candidates(), ids=lambda c: c.name)
def test_a_candidate_computes_cases_on_some_core_with_some_version(candidate):
    targets = [
        Target(isas=isas, cmsis_nn=version)
        for isas in ONE_OF_EACH_CORE
        for version in sorted(CMSIS_NN_VERSIONS)
    ]

    assert any(computed_by(candidate, target) for target in targets)


@pytest.mark.parametrize("board_name", BOARDS)
def test_a_kernel_that_is_not_preferred_gives_the_bytes_of_the_reference(board_name, tmp_path):
    board, target = load_board(board_name), target_of(board_name)
    for place, candidate in enumerate(all_candidates()):
        cases = computed_by(candidate, target)
        others = [c for c in candidates_for(candidate.computes) if c is not candidate]
        preferred = [c for c in others if c.preference > candidate.preference]
        passed_over = {case.name for c in preferred for case in computed_by(c, target)}
        passed_over |= left_out(candidate, target)
        if cases := some_of([case for case in cases if case.name in passed_over]):
            assert different(cases, board, [candidate], tmp_path / str(place)) == []


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("cls", CASES)
def test_an_operators_own_kernel_gives_the_bytes_of_the_reference(board_name, cls, tmp_path):
    cases = some_of([case for case, _, _ in cases_of_class(cls)])

    assert different(cases, load_board(board_name), [], tmp_path) == []


def different(cases, board, allowed, folder):
    """One line per case that differs with ``allowed`` candidates and operators' own kernels."""
    merged = merge(cases)
    isas = frozenset([Isa(board.isa)])
    module = module_of(merged.graph, "conformance", isas, allowed=allowed)
    got = device_outputs(merged, module, board, folder)

    return differences(merged, reference_outputs(merged), got)


def test_the_set_cmsis_nn_holds_kernels_of_cmsis_nn_alone():
    assert all(c.is_cmsis_nns for c in kernel_set("cmsis-nn"))
    assert kernel_set("auto") is None
