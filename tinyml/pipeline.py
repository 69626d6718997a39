"""A quantized graph to firmware: passes, code generation and build in one call."""

from __future__ import annotations

from pathlib import Path

from tinyml.codegen.c_source import generate_c
from tinyml.codegen.module import CModule
from tinyml.codegen.program import identifier
from tinyml.firmware.boards import Board, Console
from tinyml.firmware.build import BuildResult, build_firmware
from tinyml.firmware.toolchain import find_cmsis_nn
from tinyml.ir.graph import Graph
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.passes.orders import prepare_for_device


def generate_model(graph: Graph, board: Board | None = None) -> CModule:
    """Make the C of a quantized graph, for ``board`` or, without one, for any Cortex-M."""
    isas = frozenset([Isa(board.isa)]) if board else PORTABLE
    interface = find_cmsis_nn().interface
    return generate_c(prepare_for_device(graph), identifier(graph.name), isas, interface)


def build_model(
    graph: Graph,
    board: Board,
    directory: Path,
    *,
    optimize: str = "-O2",
    single_rounding: bool = False,
    console: Console = "semihosting",
) -> BuildResult:
    """Build firmware of a quantized graph for ``board`` into ``directory``.

    Raises InputError where the board has no such console, ModelError where an operator cannot run
    on the device or the image does not fit, and ToolchainError where a tool is missing or fails.
    """
    module = generate_model(graph, board)
    return build_firmware(
        module,
        board,
        directory,
        optimize=optimize,
        single_rounding=single_rounding,
        console=console,
    )
