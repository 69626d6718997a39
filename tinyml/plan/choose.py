"""Choose the kernel of every operator, reporting all that have none together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tinyml.errors import InputError, ModelError, RefusedError
from tinyml.ir.graph import DType, Graph, Op
from tinyml.kernels import all_candidates, candidates_for
from tinyml.ops.contract.c import PORTABLE, Isa, Kernel
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.contract.target import CMSIS_NN_VERSIONS, Target
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.quantize import Quantize
from tinyml.plan import KERNEL_SETS

# What takes the place of a candidate's name where the operator's own kernel runs.
OWN = "own"


@dataclass(frozen=True, slots=True)
class Step:
    """An operator and the kernel bound to it, which is its own or a candidate's.

    ``refused`` says of each candidate that would have been preferred why it does not compute it.
    """

    op: Operator
    kernel: Kernel
    candidate: str
    refused: Mapping[str, str]


def kernel_set(name: str) -> tuple[Candidate[Any], ...] | None:
    """The candidates of one of ``plan.KERNEL_SETS``, beside operators' own kernels.

    None for "auto": all that pay.
    """
    if name not in KERNEL_SETS:
        raise InputError(f"there are no kernels '{name}', expected {' or '.join(KERNEL_SETS)}")
    return None if name == "auto" else tuple(c for c in all_candidates() if c.is_cmsis_nns)


def choose_kernels(
    graph: Graph, target: Target, allowed: Collection[Candidate[Any]] | None = None
) -> tuple[Step, ...]:
    """Bind a kernel to every operator of a graph prepared for the device.

    It is one of ``allowed``, whether it pays or not; by default the best of all that pay.
    Raises RefusedError that lists every operator the device cannot run, with its place. Where some
    compute with floats, the conversions around them are left out of the list.
    """
    steps: list[Step] = []
    lines: dict[str, str] = {}
    reasons: dict[str, str] = {}
    in_float = any(_float_input(graph, op) for op in operators(graph))
    for place, op in enumerate(operators(graph)):
        try:
            _require_integers(graph, op)
            steps.append(_step(op, graph, target, allowed))
        except ModelError as error:
            reasons[op.name] = str(error)
            if not (in_float and _is_conversion(op)):
                lines[op.name] = f"operator {place}: {error}"
    if reasons:
        count = f"{len(lines)} of the model's {len(graph.ops)} operators"
        message = "\n  ".join([f"{count} cannot run on the device:", *lines.values()])
        raise RefusedError(message, reasons)
    return tuple(steps)


def _step(
    op: Operator, graph: Graph, target: Target, allowed: Collection[Candidate[Any]] | None
) -> Step:
    own = op.to_c(graph)
    dtype = graph.tensor(op.inputs[op.typed_input]).dtype
    refused: dict[str, str] = {}
    for candidate in candidates_for(type(op)):
        if dtype not in candidate.functions or not candidate.concerns(op, graph):
            continue
        if allowed is not None and candidate not in allowed:
            continue
        if not candidate.exists_on(target):
            # The same kernel may be there in another form.
            refused.setdefault(candidate.name, _where_it_exists(candidate))
            continue
        reason = candidate.refusal(op, graph)
        if reason is None and allowed is None:
            reason = candidate.does_not_pay(op, graph, target)
        if reason is None:
            return Step(op, candidate.bind(op, graph, target), candidate.name, refused)
        refused[candidate.name] = reason
    return Step(op, own, OWN, refused)


def _where_it_exists(candidate: Candidate[Any]) -> str:
    cores = " and ".join(isa.value for isa in Isa if isa in candidate.isas)
    versions = " and ".join(map(str, sorted(candidate.cmsis_nn)))
    where = [] if candidate.isas == PORTABLE else [f"on {cores} cores"]
    where += [] if candidate.cmsis_nn == CMSIS_NN_VERSIONS else [f"with CMSIS-NN {versions}"]
    return f"it runs {' '.join(where)} alone"


def _require_integers(graph: Graph, op: Operator) -> None:
    if source := _float_input(graph, op):
        raise op.error(
            f"computes with floats ('{source}'), which the tool that quantized the model "
            "left so; give the float model to 'tinyml quantize'"
        )


def _is_conversion(op: Op) -> bool:
    return isinstance(op, Dequantize | Quantize)


def _float_input(graph: Graph, op: Operator) -> str | None:
    """A float input of what has no kernel for floats, None where there is none."""
    if _is_conversion(op) or op.kernels.get(DType.FLOAT32):
        return None
    tensors = map(graph.tensor, op.present_inputs)
    floats = (t.name for t in tensors if t.dtype is DType.FLOAT32 and not t.is_constant)
    return next(floats, None)
