"""What inspect says of a board is what a build for it does."""

import re

import pytest
from graphs import activation, conv_2d, int8_weights, make_graph, small_int8
from modules import module_of

from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.target import CMSIS_NN_VERSIONS, Target
from tinyml.pipeline import generate_model
from tinyml.plan.plan import make_plan
from tinyml.report.inspection import boards_to_fit, inspect_model


def header_arena(module) -> int:
    return int(re.search(r"_ARENA_BYTES (\d+)", module.files[f"{module.name}.h"])[1])


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    path = tmp_path_factory.mktemp("inspected") / "small.tflite"
    path.write_bytes(write_tflite(small_int8()))
    return inspect_model(path, print)


@pytest.mark.parametrize("name", [board.name for board in boards_to_fit()])
def test_inspect_build_and_the_header_agree_on_the_arena(facts, name, tmp_path):
    board = load_board(name)
    module = generate_model(small_int8(), board)

    (plan,) = (plan for plan in facts.plans if plan.isa == board.isa)
    (fit,) = (fit for fit in facts.boards if fit.board == name)
    arenas = {plan.arena_bytes, fit.arena_bytes, header_arena(module)}
    assert arenas == {build_firmware(module, board, tmp_path).arena_bytes}


def convolution() -> Graph:
    """3x3 over two channels; input and output take 40 bytes."""
    tensors = [
        activation("x", (1, 4, 4, 2)),
        int8_weights("w", (2, 3, 3, 2), None),
        activation("y", (1, 2, 2, 2)),
    ]
    return make_graph(tensors, [conv_2d("y", "x", "w")], ["x"], ["y"])


def arena(graph: Graph, isa: Isa, version: int) -> int:
    target = Target(isas=frozenset([isa]), cmsis_nn=version)
    return make_plan(graph, target).memory.arena_bytes


@pytest.mark.parametrize("version", sorted(CMSIS_NN_VERSIONS))
@pytest.mark.parametrize("isa", Isa)
def test_the_plan_and_the_header_agree_with_every_version_of_cmsis_nn(isa, version):
    for graph in (small_int8(), convolution()):
        module = module_of(graph, "m", frozenset([isa]), cmsis_nn=version)

        assert header_arena(module) == arena(graph, isa, version)


def test_the_arena_of_a_convolution_on_mve_grew_with_version_6():
    arenas = [arena(convolution(), Isa.MVE, version) for version in (5, 6, 7)]

    # A row of 18 weights is rounded up to 24, and since 6 to 32.
    assert arenas == [40 + 4 * 24, 40 + 4 * 32, 40 + 4 * 32]


def test_the_cmsis_nn_in_use_is_what_is_planned_for(facts):
    (mve,) = (plan for plan in facts.plans if plan.isa == "mve")

    assert mve.arena_bytes == arena(small_int8(), Isa.MVE, find_cmsis_nn().interface)
