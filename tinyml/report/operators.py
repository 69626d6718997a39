"""What runs of which operator, by which kernels and on which boards: ``tinyml ops``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import Board, list_boards, load_board
from tinyml.ir.graph import DType
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.registry import operator_classes

# Where a kernel is from.
CMSIS_NN, OURS, C_LIBRARY = "CMSIS-NN", "tinyml", "C library"

HEADINGS = ("operator", "dtypes", "kernels", "boards", "ONNX")


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """One C function; ``dtypes`` it is called for, ``cores`` it is called on."""

    name: str
    source: str
    dtypes: tuple[str, ...]
    cores: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """The operators of one class; the field names are the keys of the JSON."""

    names: tuple[str, ...]
    dtypes: tuple[str, ...]
    kernels: tuple[KernelFacts, ...]
    without_kernel: str | None
    boards: tuple[str, ...]
    onnx_types: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def describe_operators() -> tuple[OperatorFacts, ...]:
    """Gather what all operators declare, in the order of their names."""
    boards = [load_board(name) for name in list_boards()]
    return tuple(_operator(cls, boards) for cls in operator_classes())


def operator_rows() -> list[tuple[str, ...]]:
    """The table of ``tinyml ops`` and docs/operators.md: one row per class, under HEADINGS."""
    everywhere = list_boards()
    return [_row(facts, everywhere) for facts in describe_operators()]


def _operator(cls: type[Operator], boards: list[Board]) -> OperatorFacts:
    kernels = dict.fromkeys(name for names in cls.kernels.values() for name in names)
    return OperatorFacts(
        names=cls.opcodes,
        dtypes=tuple(dtype.value for dtype in DType if dtype in cls.kernels),
        kernels=tuple(_kernel(cls, name) for name in kernels),
        without_kernel=cls.without_kernel or None,
        boards=tuple(board.name for board in boards if _runs_on(cls, Isa(board.isa))),
        onnx_types=tuple(sorted(cls.onnx_types)),
    )


def _kernel(cls: type[Operator], name: str) -> KernelFacts:
    return KernelFacts(
        name=name,
        source=_source(name),
        dtypes=tuple(dtype.value for dtype in DType if name in cls.kernels.get(dtype, ())),
        cores=tuple(isa.value for isa in Isa if isa in cls.only_for.get(name, PORTABLE)),
    )


def _source(name: str) -> str:
    if (firmware_dir() / "kernels" / f"{name}.c").exists():
        return OURS
    return CMSIS_NN if name.startswith("arm_") else C_LIBRARY


def _runs_on(cls: type[Operator], isa: Isa) -> bool:
    """Whether each dtype that has kernels has one for that class of core."""
    return all(
        any(isa in cls.only_for.get(name, PORTABLE) for name in names)
        for names in cls.kernels.values()
        if names
    )


def _row(facts: OperatorFacts, everywhere: tuple[str, ...]) -> tuple[str, ...]:
    return (
        ", ".join(facts.names),
        ", ".join(facts.dtypes),
        _kernels(facts),
        "all" if facts.boards == everywhere else ", ".join(facts.boards),
        ", ".join(facts.onnx_types) or "-",
    )


def _kernels(facts: OperatorFacts) -> str:
    if facts.without_kernel is not None:
        return f"none: {facts.without_kernel}"
    sources = dict.fromkeys(kernel.source for kernel in facts.kernels)
    return "; ".join(
        f"{source}: {', '.join(_named(k) for k in facts.kernels if k.source == source)}"
        for source in sources
    )


def _named(kernel: KernelFacts) -> str:
    is_portable = len(kernel.cores) == len(PORTABLE)
    return kernel.name if is_portable else f"{kernel.name} ({', '.join(kernel.cores)})"
