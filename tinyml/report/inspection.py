"""A model file to all that ``tinyml inspect`` shows, the boards it fits among it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinyml.errors import ModelError, ToolchainError
from tinyml.firmware.boards import Board, list_boards, load_board
from tinyml.firmware.fit import measure_fit
from tinyml.frontend.load import load_model
from tinyml.frontend.partial import PartlyReadError
from tinyml.ops.contract.c import Isa
from tinyml.pipeline import generate_plan
from tinyml.plan.plan import Plan
from tinyml.report.facts import (
    BoardFacts,
    ModelFacts,
    describe_partial,
    describe_planned,
    plans_of,
)


def boards_to_fit() -> tuple[Board, ...]:
    """All boards but the host, whose memory has no end."""
    boards = map(load_board, list_boards())
    return tuple(board for board in boards if board.memory is not None)


def inspect_model(
    path: Path, on_progress: Callable[[int], None], signature: str | None = None
) -> ModelFacts:
    """Gather the facts of a model file, whether or not it can be built.

    ``on_progress`` is called with the number of boards done. Raises InputError where the file is
    no model.
    """
    try:
        graph = load_model(path, signature)
    except PartlyReadError as error:
        return describe_partial(error.partial)
    try:
        plans = plans_of(graph)
    except (ModelError, ToolchainError) as error:
        return describe_planned(graph, {}, error)
    facts = describe_planned(graph, plans)
    fits: list[BoardFacts] = []
    try:
        for done, board in enumerate(boards_to_fit(), start=1):
            fits.append(describe_fit(plans[Isa(board.isa)], board))
            on_progress(done)
    except ToolchainError as error:
        return replace(facts, boards_refusal=str(error))
    return replace(facts, boards=tuple(fits))


def describe_fit(plan: Plan, board: Board) -> BoardFacts:
    """Say what a plan takes of a board, as ``tinyml build`` finds it by default."""
    try:
        fit = measure_fit(generate_plan(plan), board)
    except ModelError as error:
        return BoardFacts(board=board.name, fits=False, refusal=str(error))
    return BoardFacts(
        board=board.name,
        fits=fit.fits,
        flash_bytes=fit.flash_bytes,
        flash_available=fit.flash_available,
        ram_bytes=fit.ram_bytes,
        ram_available=fit.ram_available,
        arena_bytes=fit.arena_bytes,
        state_bytes=fit.state_bytes,
        stack_bytes=board.stack_bytes,
        firmware_bytes=fit.firmware_ram_bytes,
    )
