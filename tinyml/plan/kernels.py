"""Choose the kernel of every operator, reporting all that have none together."""

from __future__ import annotations

from collections.abc import Mapping

from tinyml.errors import ModelError, RefusedError
from tinyml.ir.graph import Graph
from tinyml.ops.base import Isa, Kernel, operators


def choose_kernels(graph: Graph, isas: frozenset[Isa]) -> Mapping[str, Kernel]:
    """Operator name to the kernel that runs it on all of ``isas``.

    Raises RefusedError that lists every operator the device cannot run, with its place.
    """
    kernels: dict[str, Kernel] = {}
    lines: list[str] = []
    reasons: dict[str, str] = {}
    for place, op in enumerate(operators(graph)):
        try:
            kernels[op.name] = op.to_c(graph, isas)
        except ModelError as error:
            reasons[op.name] = str(error)
            lines.append(f"operator {place}: {error}")
    if reasons:
        count = f"{len(reasons)} of the model's {len(graph.ops)} operators"
        message = "\n  ".join([f"{count} cannot run on the device:", *lines])
        raise RefusedError(message, reasons)
    return kernels
