"""Every operator on every class of core, byte for byte against the named oracle."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest
from merged import (
    Merged,
    device_outputs,
    differences,
    generate,
    merge,
    merged_in_batches,
    reference_outputs,
)
from single_operator import (
    EVERY_CASE,
    FEWEST_CASES,
    Case,
    all_cases,
    cases_of,
    operators_with_cases,
    some_of,
)

from tinyml.codegen.module import CModule
from tinyml.evaluate.oracle import Oracles
from tinyml.firmware.boards import Board, load_board
from tinyml.ir.graph import Array
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.ops.contract.registry import operators_by_opcode
from tinyml.runtime.tflite import TFLITE_REFERENCE

# These run every case: scalar C, on this computer, and the C of each other class of core.
BOARDS = ("host", "mps2-an386", "mps3-an547")
# Other cores that run the same C, and C made for every core at once, run some cases of each
# operator. Boards with little memory: below.
SAME_C_BOARDS = ("mps2-an385", "mps2-an500", "mps2-an505")
PORTABLE_BOARDS = ("mps2-an386", "mps3-an547")


def sharing(board_name: str) -> object:
    """These share a process, and with it what the oracles answer and the generated C."""
    mark = pytest.mark.xdist_group("every case")
    return pytest.param(board_name, id=board_name, marks=mark)


Batch = tuple[Merged, list[Array]]

# TFLite has no int8 of the first two, and one of little use of the third: all become others.
WITHOUT_KERNEL = {"div", "pow", "log_softmax"}
# No operator of a file: what several of them spell.
SPELLED = {"function"}
# Bytes of inputs and outputs that leave room for scratch in the 16 KiB of a Cortex-M0.
SMALL_BYTES = 10_000
# Different cases in the file of an operator.
FEWEST_DIFFERENT = 30
# Tests that its models are divided among, to run side by side.
SHARES = 4


@dataclass(frozen=True)
class Suite:
    """Cases in a few models, what the oracles answer, and their C for a set of cores, made once."""

    batches: list[Batch]

    @cached_property
    def modules(self) -> Callable[[frozenset[Isa]], list[CModule]]:
        return cache(
            lambda isas: [generate(merged.graph, "conformance", isas) for merged, _ in self.batches]
        )


@pytest.fixture(scope="module")
def every_case() -> Suite:
    cases = [case for case in all_cases() if has_oracle(case)]
    return Suite([(merged, reference_outputs(merged)) for merged in merged_in_batches(cases)])


@pytest.fixture(scope="module")
def some_cases(every_case: Suite) -> Suite:
    """Some cases of each operator."""
    answers = {
        case.name: answer
        for merged, expected in every_case.batches
        for case, answer in zip(merged.cases, expected, strict=True)
    }
    cases: list[Case] = []
    for operator in operators_with_cases():
        own = [case for case in cases_of(operator) if case.name in answers]
        cases += some_of(own)
    return Suite(
        [
            (merged, [answers[case.name] for case in merged.cases])
            for merged in merged_in_batches(cases)
        ]
    )


def has_oracle(case: Case) -> bool:
    """Whether a runtime is installed that has the bytes of the case."""
    return not Oracles(case.graph).errors


def test_every_case_has_an_oracle_but_int16_of_small_scales_compared_without_tflite_runtime():
    without = [case for case in all_cases() if not has_oracle(case)]

    names = {case.name.rpartition("_")[0] for case in without}
    assert names <= (set() if TFLITE_REFERENCE.is_installed else {"comparison"})
    assert len(without) <= 4


def report(different: list[str]) -> str:
    return "\n".join([f"{len(different)} cases differ from the reference kernels:", *different])


def different_cases(
    batches: list[Batch], modules: list[CModule], board: Board, folder: Path
) -> list[str]:
    """One line per case that differs on the board."""
    lines: list[str] = []
    for number, ((merged, expected), module) in enumerate(zip(batches, modules, strict=True)):
        got = device_outputs(merged, module, board, folder / str(number))
        lines += differences(merged, expected, got)
    return lines


def differing(
    suite: Suite, board_name: str, folder: Path, isas: frozenset[Isa] | None = None
) -> list[str]:
    """One line per case that differs on the board, in C for its core or for all of ``isas``."""
    board = load_board(board_name)
    modules = suite.modules(isas or frozenset([Isa(board.isa)]))
    return different_cases(suite.batches, modules, board, folder)


@pytest.mark.parametrize("board_name", [sharing(name) for name in BOARDS])
def test_every_case_gives_the_bytes_of_the_reference_kernels(board_name, every_case, tmp_path):
    different = differing(every_case, board_name, tmp_path)

    assert not different, report(different)


@pytest.mark.parametrize("board_name", [sharing(name) for name in SAME_C_BOARDS])
def test_other_cores_that_run_the_same_c_give_the_same_bytes(board_name, some_cases, tmp_path):
    different = differing(some_cases, board_name, tmp_path)

    assert not different, report(different)


@pytest.mark.parametrize("board_name", [sharing(name) for name in PORTABLE_BOARDS])
def test_c_for_every_core_gives_the_same_bytes(board_name, some_cases, tmp_path):
    different = differing(some_cases, board_name, tmp_path, PORTABLE)

    assert not different, report(different)


@pytest.mark.parametrize("share", range(SHARES))
def test_a_core_without_unaligned_access_gives_the_same_bytes(share: int, tmp_path: Path) -> None:
    merged = [merge(batch) for batch in small_batches()[share::SHARES]]
    batches = [(model, reference_outputs(model)) for model in merged]
    board = load_board("microbit")
    isas = frozenset([Isa(board.isa)])
    modules = [generate(model.graph, "conformance", isas) for model in merged]

    different = different_cases(batches, modules, board, tmp_path)

    assert not different, report(different)


@cache
def small_batches() -> list[list[Case]]:
    """The smallest cases of every operator, as many in a model as a Cortex-M0 has room for."""
    fewest = FEWEST_DIFFERENT if os.environ.get(EVERY_CASE) else FEWEST_CASES
    batches: list[list[Case]] = [[]]
    used = 0
    for operator in operators_with_cases():
        for case in sorted(cases_of(operator), key=live_bytes)[:fewest]:
            used += live_bytes(case)
            if used > SMALL_BYTES:
                batches.append([])
                used = live_bytes(case)
            batches[-1].append(case)
    return batches


def live_bytes(case: Case) -> int:
    """Bytes of what is computed or read; constants are in flash."""
    return sum(tensor.nbytes for tensor in case.graph.tensors.values() if not tensor.is_constant)


def test_every_operator_has_a_file_of_cases():
    implemented = {cls.__module__.rsplit(".", 1)[-1] for cls in operators_by_opcode().values()}

    assert set(operators_with_cases()) == (implemented - WITHOUT_KERNEL) | SPELLED


@pytest.mark.parametrize("operator", operators_with_cases())
def test_an_operator_has_at_least_thirty_different_cases(operator):
    different = {repr(case.parameters) for case in cases_of(operator)}

    assert len(different) >= FEWEST_DIFFERENT


@pytest.mark.parametrize("operator", operators_with_cases())
def test_cases_are_the_same_every_time(operator):
    assert cases_of(operator) == cases_of(operator)
