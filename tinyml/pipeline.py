"""The way of a quantized graph to firmware on one page: prepare, plan, generate, build.

Reading a model is before it (``frontend.load``, ``quantize``), running it after it (``device``).
"""

from __future__ import annotations

from tinyml.codegen.c_source import generate_c
from tinyml.codegen.module import CModule
from tinyml.codegen.program import identifier
from tinyml.errors import InputError
from tinyml.files import StrPath, as_path
from tinyml.firmware.boards import Board, Console
from tinyml.firmware.build import BuildResult, build_firmware
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.ops.contract.target import GOALS, Goal, Target
from tinyml.passes.orders import prepare_for_device
from tinyml.plan.choose import kernel_set
from tinyml.plan.plan import Plan, make_plan


def target_of(board: Board | None = None, goal: str = "speed") -> Target:
    """The board's class of core, or without a board every one, and the CMSIS-NN in use."""
    isas = frozenset([Isa(board.isa)]) if board else PORTABLE
    return Target(isas=isas, cmsis_nn=find_cmsis_nn().interface, goal=_goal(goal))


def _goal(name: str) -> Goal:
    try:
        return Goal(name)
    except ValueError:
        raise InputError(f"there is no goal '{name}', expected {' or '.join(GOALS)}") from None


def plan_model(
    graph: Graph, board: Board | None = None, *, kernels: str = "auto", goal: str = "speed"
) -> Plan:
    """Prepare a quantized graph for the device, and plan it for ``board`` or for any Cortex-M.

    ``kernels`` is "auto", or "cmsis-nn" to leave faster ones of ours out; ``goal`` what they are
    chosen for, "speed", or "flash" where time and RAM count less. Raises ModelError where an
    operator cannot run on the device; ToolchainError where CMSIS-NN is missing.
    """
    return make_plan(prepare_for_device(graph), target_of(board, goal), kernel_set(kernels))


def generate_plan(plan: Plan) -> CModule:
    """Make the C of a plan, named after the model."""
    return generate_c(plan, identifier(plan.graph.name))


def generate_model(
    graph: Graph, board: Board | None = None, *, kernels: str = "auto", goal: str = "speed"
) -> CModule:
    """Make the C of a quantized graph: plan it, and generate."""
    return generate_plan(plan_model(graph, board, kernels=kernels, goal=goal))


def build_model(
    graph: Graph,
    board: Board,
    directory: StrPath,
    *,
    kernels: str = "auto",
    goal: str = "speed",
    optimize: str = "-O2",
    single_rounding: bool = False,
    console: Console = "semihosting",
) -> BuildResult:
    """Build firmware of a quantized graph for ``board`` into ``directory``.

    Raises InputError where the board has no such console, ModelError where an operator cannot run
    on the device or the image does not fit, and ToolchainError where a tool is missing or fails.
    """
    return build_firmware(
        generate_model(graph, board, kernels=kernels, goal=goal),
        board,
        as_path(directory),
        optimize=optimize,
        single_rounding=single_rounding,
        console=console,
    )
