"""What runs of which operator, by which kernels: ``tinyml ops``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyml.firmware import firmware_dir
from tinyml.ir.graph import DType
from tinyml.kernels import candidates_for
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.registry import operator_classes
from tinyml.ops.contract.target import CMSIS_NN_VERSIONS, Target

# Where a kernel is from.
CMSIS_NN, OURS, C_LIBRARY = "CMSIS-NN", "tinyml", "C library"

HEADINGS = ("operator", "dtypes", "kernels", "ONNX")


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
    onnx_types: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def describe_operators() -> tuple[OperatorFacts, ...]:
    """Gather what all operators declare, in the order of their names."""
    return tuple(map(_operator, operator_classes()))


def operator_rows() -> list[tuple[str, ...]]:
    """The table of ``tinyml ops`` and docs/operators.md: one row per class, under HEADINGS."""
    return [_row(facts) for facts in describe_operators()]


def _operator(cls: type[Operator]) -> OperatorFacts:
    called = dict.fromkeys(name for names in _functions(cls).values() for name in names)
    return OperatorFacts(
        names=cls.opcodes,
        dtypes=tuple(dtype.value for dtype in DType if dtype in cls.kernels),
        kernels=tuple(_kernel(cls, name) for name in called),
        without_kernel=cls.without_kernel or None,
        onnx_types=tuple(sorted(cls.onnx_types)),
    )


def _functions(cls: type[Operator]) -> dict[DType, tuple[str, ...]]:
    """C functions that may run it, by dtype: those of its candidates, then its own."""
    candidates = candidates_for(cls)
    return {
        dtype: (*(c.functions[dtype] for c in candidates if dtype in c.functions), *own)
        for dtype, own in cls.kernels.items()
    }


def _kernel(cls: type[Operator], name: str) -> KernelFacts:
    dtypes = tuple(dtype.value for dtype, names in _functions(cls).items() if name in names)
    cores = tuple(isa.value for isa in Isa if _is_called_on(cls, name, isa))
    return KernelFacts(name=name, source=_source(name), dtypes=dtypes, cores=cores)


def _is_called_on(cls: type[Operator], name: str, isa: Isa) -> bool:
    """An operator's own kernels run on every core, candidates where they say."""
    if any(name in names for names in cls.kernels.values()):
        return True
    targets = [Target(isas=frozenset([isa]), cmsis_nn=v) for v in sorted(CMSIS_NN_VERSIONS)]
    return any(
        candidate.exists_on(target)
        for candidate in candidates_for(cls)
        for target in targets
        if name in candidate.functions.values()
    )


def _source(name: str) -> str:
    if (firmware_dir() / "kernels" / f"{name}.c").exists():
        return OURS
    return CMSIS_NN if name.startswith("arm_") else C_LIBRARY


def _row(facts: OperatorFacts) -> tuple[str, ...]:
    return (
        ", ".join(facts.names),
        ", ".join(facts.dtypes),
        _kernels(facts),
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
