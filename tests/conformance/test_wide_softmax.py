"""Rows of 512 elements and more, where the reference's arithmetic is undefined on some inputs."""

from dataclasses import replace

import numpy as np
import pytest
from merged import device_outputs, generate, merge, reference_outputs
from single_operator import OUTPUT, SOURCE, Case, Draw, int8_tensor, single_operator

from tinyml.firmware.boards import load_board
from tinyml.ir.graph import Array, QuantParams, Shape
from tinyml.ops.contract.c import Isa
from tinyml.ops.softmax import OUTPUT_QUANT, Softmax

SHAPES: tuple[Shape, ...] = ((1, 512), (2, 513), (1, 1000), (3, 700), (1, 5000))
SCALE = 0.2


def wide_case(shape: Shape) -> Case:
    op = Softmax(name="softmax", inputs=(SOURCE,), outputs=(OUTPUT,), beta=1.0)
    source = int8_tensor(SOURCE, shape, QuantParams.per_tensor(SCALE, 0))
    return Case(f"softmax_{shape[1]}", shape, single_operator(op, [source], OUTPUT_QUANT))


def ordinary_sample(case: Case) -> Array:
    """All values in equal numbers: the exponentials add up to far less than 512."""
    (name,) = case.graph.inputs
    shape = case.graph.tensor(name).shape
    values = np.arange(np.prod(shape)) % 256 - 128
    return Draw(case.name).rng.permuted(values).astype(np.int8).reshape(1, *shape)


def level_sample(case: Case) -> Array:
    """All values equal: the exponentials add up to the length of the row."""
    return np.full_like(ordinary_sample(case), 7)


@pytest.mark.parametrize("board_name", ["host", "mps2-an385", "mps2-an386", "mps3-an547"])
def test_wide_rows_equal_the_reference_where_it_is_defined_and_zero_elsewhere(board_name, tmp_path):
    board = load_board(board_name)
    wide = merge([wide_case(shape) for shape in SHAPES])
    module = generate(wide.graph, "wide", frozenset([Isa(board.isa)]))
    ordinary = [ordinary_sample(case) for case in wide.cases]
    level = [level_sample(case) for case in wide.cases]
    samples = [np.concatenate(pair) for pair in zip(ordinary, level, strict=True)]

    got = device_outputs(replace(wide, samples=samples), module, board, tmp_path / "fw")

    expected = reference_outputs(replace(wide, samples=ordinary))
    for outputs, reference in zip(got, expected, strict=True):
        np.testing.assert_array_equal(outputs[0], reference[0])
        np.testing.assert_array_equal(outputs[1], -128)
