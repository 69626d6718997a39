"""Weights of four bits: when they are packed, and what that takes of flash and of RAM."""

import re
from dataclasses import replace

import numpy as np
import pytest
from cases import conv_2d, depthwise_conv_2d, fully_connected
from draw.weighted import Numbers
from modules import module_of
from single_operator import Draw

from tinyml.firmware.boards import load_board
from tinyml.firmware.build import BuildResult, build_firmware
from tinyml.ir.graph import Graph
from tinyml.ops.c.four_bits import GROUP, packed_rows
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.ops.contract.target import Goal, Target
from tinyml.passes.orders import prepare_for_device
from tinyml.plan.choose import choose_kernels, kernel_set

FOUR_BITS, EIGHT_BITS = Numbers(weight_limit=7), Numbers()
BOARDS = ("mps2-an385", "mps2-an386", "mps3-an547")


def convolution(numbers, source=(1, 6, 6, 16), filters=48, size=(3, 3)) -> Graph:
    parameters = conv_2d.Parameters(source=source, filters=filters, size=size, numbers=numbers)
    return prepare_for_device(conv_2d._graph(Draw("convolution"), parameters))


def connected(numbers, rows=1, *, per_channel=False) -> Graph:
    parameters = fully_connected.Parameters(
        source=(rows, 320), features=18, numbers=numbers, per_channel=per_channel
    )
    return prepare_for_device(fully_connected._graph(Draw("connected"), parameters))


def connected_per_channel(numbers) -> Graph:
    return connected(numbers, per_channel=True)


def depthwise(numbers) -> Graph:
    parameters = depthwise_conv_2d.Parameters(source=(1, 4, 4, 130), numbers=numbers)
    return prepare_for_device(depthwise_conv_2d._graph(Draw("depthwise"), parameters))


def candidate_of(graph, goal=Goal.SPEED, allowed=None) -> str:
    """What runs the graph's operator, aliases left out."""
    steps = choose_kernels(graph, Target(cmsis_nn=6, goal=goal), allowed)
    (candidate,) = (step.candidate for step in steps if step.kernel.calls)
    return candidate


@pytest.mark.parametrize(
    ("make", "kernel"),
    [
        (convolution, "tinyml_convolve_s4"),
        (connected, "tinyml_fully_connected_s4"),
        (connected_per_channel, "tinyml_fully_connected_s4"),
    ],
)
def test_weights_that_fit_four_bits_are_packed_by_default(make, kernel):
    assert candidate_of(make(FOUR_BITS)) == kernel
    assert not candidate_of(make(EIGHT_BITS)).endswith("_s4")


def test_several_rows_run_in_the_kernel_that_takes_them_in_twos():
    assert candidate_of(connected(FOUR_BITS, rows=3)) == "tinyml_convolve_s4"


def test_a_depthwise_layer_is_packed_where_flash_is_the_goal_and_not_otherwise():
    assert candidate_of(depthwise(FOUR_BITS)) == "arm_depthwise_conv_s8_opt"
    assert candidate_of(depthwise(FOUR_BITS), Goal.FLASH) == "tinyml_widen_s4"
    assert candidate_of(depthwise(EIGHT_BITS), Goal.FLASH) == "arm_depthwise_conv_s8_opt"


def test_a_layer_too_small_to_be_worth_the_code_keeps_its_int8_kernel():
    small = convolution(FOUR_BITS, filters=8)

    assert candidate_of(small, Goal.SPEED) == candidate_of(small, Goal.FLASH) == "arm_convolve_s8"


def test_a_layer_of_few_weights_an_output_is_packed_where_flash_is_the_goal():
    narrow = convolution(FOUR_BITS, source=(1, 2, 2, 16), filters=300, size=(1, 1))

    assert candidate_of(narrow) == "arm_convolve_1x1_s8_fast"
    assert candidate_of(narrow, Goal.FLASH) == "tinyml_convolve_s4"


def test_weights_that_several_layers_share_stay_one_array():
    graph = connected(FOUR_BITS)
    (op,) = graph.ops
    twin = replace(graph.tensor(op.outputs[0]), name="twin")
    ops = (op, replace(op, name="twin", outputs=("twin",)))
    twins = replace(graph.with_tensors(twin), ops=ops, outputs=(*graph.outputs, "twin"))

    steps = choose_kernels(twins, Target(cmsis_nn=6))

    assert [step.candidate for step in steps] == ["arm_fully_connected_s8"] * 2
    assert "several operators share" in steps[0].refused["tinyml_fully_connected_s4"]


def test_a_row_of_weights_is_packed_in_groups_of_32_and_a_last_one_of_fewer():
    (word,) = packed_rows(np.arange(-8, 0).reshape(1, 8), GROUP).data
    group = packed_rows(np.arange(40).reshape(1, 40) % 16 - 8, GROUP).data.view(np.uint8)

    assert word == 0x73625140
    np.testing.assert_array_equal(group[:16], np.arange(16) * 17)
    np.testing.assert_array_equal(group[16:], [0x40, 0x51, 0x62, 0x73])


def test_weights_are_filled_up_with_zeros():
    (word,) = packed_rows(np.array([[7]]), GROUP).data

    assert word == np.uint32(0x8888888F).view(np.int32)


def test_cmsis_nns_kernel_runs_where_no_other_than_its_are_asked_for():
    allowed = kernel_set("cmsis-nn")

    assert candidate_of(connected(FOUR_BITS), allowed=allowed) == "arm_fully_connected_s4"


def test_layers_whose_weights_do_not_fit_are_not_told_of_kernels_of_four_bits():
    (step,) = choose_kernels(convolution(EIGHT_BITS), Target(cmsis_nn=6))

    assert not [name for name in step.refused if name.endswith("_s4")]


@pytest.mark.parametrize("make", [convolution, connected, connected_per_channel, depthwise])
def test_packed_weights_take_half_the_bytes(make):
    whole, packed = weights_bytes(make(EIGHT_BITS)), weights_bytes(make(FOUR_BITS))

    assert 0.5 * whole <= packed <= 0.51 * whole


def weights_bytes(graph: Graph) -> int:
    module = module_of(graph, "m", PORTABLE, goal=Goal.FLASH)
    ((bits, count),) = re.findall(
        r"const int(\d+)_t m_\w+_weights\[(\d+)\] = ", module.files["m_weights.c"]
    )
    return int(bits) // 8 * int(count)


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("make", [convolution, connected, connected_per_channel])
def test_the_image_is_smaller_by_nearly_half_the_weights(make, board_name, tmp_path):
    board = load_board(board_name)
    whole = built(make(EIGHT_BITS), board, tmp_path / "8")
    packed = built(make(FOUR_BITS), board, tmp_path / "4")
    count = weights_bytes(make(EIGHT_BITS))

    # The kernels take the place of int8's, and are no larger by more than a tenth of the weights.
    assert whole.flash_bytes - packed.flash_bytes > 0.4 * count


def built(graph, board, folder) -> BuildResult:
    module = module_of(graph, "m", frozenset([Isa(board.isa)]))
    return build_firmware(module, board, folder)
