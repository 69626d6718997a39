"""Operators that move elements move those of every dtype that they declare."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from draw.retyped import DTYPES, as_dtype, moving_cases, moving_classes, retyped
from merged import Merged, device_outputs, differences, merge
from modules import module_of
from single_operator import Case

from tinyml.firmware.boards import Board, load_board
from tinyml.ir.graph import Array, DType
from tinyml.ops.contract.c import Isa


def seen_as(case: Case, rows: Array, dtype: DType) -> Array:
    """Bytes of a case's outputs, those of int8 as ``dtype``."""
    if any(case.graph.tensor(name).dtype is not DType.INT8 for name in case.graph.outputs):
        return rows
    return np.ascontiguousarray(as_dtype(rows, dtype)).view(np.int8)


@pytest.fixture(scope="module", params=["host", "mps3-an547"])
def board(request):
    return load_board(request.param)


@pytest.fixture(scope="module")
def int8(board, tmp_path_factory):
    """All cases as they are drawn, and what they give on the board."""
    merged = merge(moving_cases())
    return merged, outputs_of(merged, board, tmp_path_factory.mktemp("int8"))


def outputs_of(merged: Merged, board: Board, folder: Path) -> list[Array]:
    module = module_of(merged.graph, "moves", frozenset([Isa(board.isa)]))
    return device_outputs(merged, module, board, folder)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
def test_elements_of_other_dtypes_are_moved_as_int8_are(dtype, board, int8, tmp_path):
    merged, expected = int8
    other = merge([replace(case, graph=retyped(case.graph, dtype)) for case in merged.cases])
    is_moved = [merged.graph.tensor(name).dtype is DType.INT8 for name in merged.graph.inputs]
    pairs = zip(merged.samples, is_moved, strict=True)
    other = replace(other, samples=[as_dtype(s, dtype) if moved else s for s, moved in pairs])

    got = outputs_of(other, board, tmp_path)

    pairs = zip(merged.cases, expected, strict=True)
    wanted = [seen_as(case, rows, dtype) for case, rows in pairs]
    assert differences(other, wanted, got) == []


def test_all_that_move_have_cases():
    classes = {type(op) for case in moving_cases() for op in case.graph.ops}

    assert set(moving_classes()) <= classes
