"""Cases of operators that move elements, as .tflite files: masks, axes and modes come back."""

from dataclasses import replace

import pytest
from single_operator import Case, cases_of

from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ops.cast import Cast
from tinyml.ops.contract.registry import operators_by_opcode
from tinyml.ops.families.movement import MovementOperator
from tinyml.ops.families.resize import ResizeOperator
from tinyml.ops.gather import Gather
from tinyml.ops.pad import Pad
from tinyml.ops.shape import ShapeOf

KINDS = (MovementOperator, ResizeOperator, Cast, Gather, Pad, ShapeOf)
MOVING = sorted(
    cls.__module__.rsplit(".", 1)[-1]
    for cls in set(operators_by_opcode().values())
    if issubclass(cls, KINDS)
)


@pytest.mark.parametrize("operator", MOVING)
def test_what_was_written_is_read_back(operator):
    changed = [case.name for case in cases_of(operator) if not is_read_back(case)]

    assert not changed


def is_read_back(case: Case) -> bool:
    """Files name operators after their first output."""
    ops = (replace(op, name=op.outputs[0]) for op in case.graph.ops)
    graph = replace(case.graph, ops=tuple(ops))
    return read_tflite(write_tflite(graph), graph.name) == graph
