"""Choose the kernel of every operator, reporting all that have none together."""

from __future__ import annotations

from collections.abc import Mapping

from tinyml.errors import ModelError, RefusedError
from tinyml.ir.graph import DType, Graph, Op
from tinyml.ops.contract.c import Isa, Kernel
from tinyml.ops.contract.operator import operators
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.quantize import Quantize


def choose_kernels(graph: Graph, isas: frozenset[Isa]) -> Mapping[str, Kernel]:
    """Operator name to the kernel that runs it on all of ``isas``.

    Raises RefusedError that lists every operator the device cannot run, with its place. Where some
    compute with floats, the conversions around them are left out of the list.
    """
    kernels: dict[str, Kernel] = {}
    lines: dict[str, str] = {}
    reasons: dict[str, str] = {}
    in_float = [op for op in graph.ops if _float_input(graph, op)]
    for place, op in enumerate(operators(graph)):
        try:
            if source := _float_input(graph, op):
                raise op.error(
                    f"computes with floats ('{source}'), which the tool that quantized the model "
                    "left so; give the float model to 'tinyml quantize'"
                )
            kernels[op.name] = op.to_c(graph, isas)
        except ModelError as error:
            reasons[op.name] = str(error)
            if not (in_float and _is_conversion(op)):
                lines[op.name] = f"operator {place}: {error}"
    if reasons:
        count = f"{len(lines)} of the model's {len(graph.ops)} operators"
        message = "\n  ".join([f"{count} cannot run on the device:", *lines.values()])
        raise RefusedError(message, reasons)
    return kernels


def _is_conversion(op: Op) -> bool:
    return isinstance(op, Dequantize | Quantize)


def _float_input(graph: Graph, op: Op) -> str | None:
    """A float input of what has no kernel for floats, None where there is none."""
    if _is_conversion(op) or getattr(op, "kernels", {}).get(DType.FLOAT32):
        return None
    tensors = map(graph.tensor, op.present_inputs)
    floats = (t.name for t in tensors if t.dtype is DType.FLOAT32 and not t.is_constant)
    return next(floats, None)
