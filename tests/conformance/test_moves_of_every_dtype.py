"""Operators that move elements move those of every dtype that they declare."""

from dataclasses import replace

import numpy as np
import pytest
from draw.retyped import DTYPES, as_dtype, moving_cases, moving_classes, retyped
from merged import device_outputs, differences, merge
from modules import module_of
from single_operator import Case

from tinyml.firmware.boards import load_board
from tinyml.ir.graph import Array, DType
from tinyml.ops.contract.c import Isa


def seen_as(case: Case, rows: Array, dtype: DType) -> Array:
    """Bytes of a case's outputs, those of int8 as ``dtype``."""
    if any(case.graph.tensor(name).dtype is not DType.INT8 for name in case.graph.outputs):
        return rows
    return np.ascontiguousarray(as_dtype(rows, dtype)).view(np.int8)


@pytest.mark.parametrize("board_name", ["host", "mps3-an547"])
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
def test_elements_of_other_dtypes_are_moved_as_int8_are(dtype, board_name, tmp_path):
    board = load_board(board_name)
    cases = moving_cases()
    int8 = merge(cases)
    other = merge([replace(case, graph=retyped(case.graph, dtype)) for case in cases])
    is_moved = [int8.graph.tensor(name).dtype is DType.INT8 for name in int8.graph.inputs]
    pairs = zip(int8.samples, is_moved, strict=True)
    other = replace(other, samples=[as_dtype(s, dtype) if moved else s for s, moved in pairs])

    expected, got = (
        device_outputs(
            merged,
            module_of(merged.graph, "moves", frozenset([Isa(board.isa)])),
            board,
            tmp_path / name,
        )
        for name, merged in (("int8", int8), ("other", other))
    )

    wanted = [seen_as(case, rows, dtype) for case, rows in zip(cases, expected, strict=True)]
    assert differences(other, wanted, got) == []


def test_all_that_move_have_cases():
    classes = {type(op) for case in moving_cases() for op in case.graph.ops}

    assert set(moving_classes()) <= classes
