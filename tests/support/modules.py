"""C modules of graphs that are prepared for the device already."""

from collections.abc import Collection
from typing import Any

from tinyml.codegen.c_source import generate_c
from tinyml.codegen.module import CModule
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Goal, Target
from tinyml.plan.plan import make_plan


def module_of(
    graph: Graph,
    name: str,
    isas: frozenset[Isa] = PORTABLE,
    *,
    cmsis_nn: int | None = None,
    allowed: Collection[Candidate[Any]] | None = None,
    goal: Goal = Goal.SPEED,
) -> CModule:
    """The C for ``isas``, with the CMSIS-NN in use or another version's calls."""
    version = cmsis_nn or find_cmsis_nn().interface
    return generate_c(
        make_plan(graph, Target(isas=isas, cmsis_nn=version, goal=goal), allowed), name
    )
