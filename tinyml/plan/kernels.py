"""Choose the kernel of every operator, reporting all that have none together."""

from __future__ import annotations

from collections.abc import Mapping

from tinyml.errors import ModelError
from tinyml.ir.graph import Graph
from tinyml.ops.base import Isa, Kernel, operators


def choose_kernels(graph: Graph, isas: frozenset[Isa]) -> Mapping[str, Kernel]:
    """Operator name to the kernel that runs it on all of ``isas``.

    Raises ModelError that lists every operator the device cannot run, with its place.
    """
    kernels: dict[str, Kernel] = {}
    refused: list[str] = []
    for place, op in enumerate(operators(graph)):
        try:
            kernels[op.name] = op.to_c(graph, isas)
        except ModelError as error:
            refused.append(f"operator {place}: {error}")
    if refused:
        count = f"{len(refused)} of the model's {len(graph.ops)} operators"
        raise ModelError("\n  ".join([f"{count} cannot run on the device:", *refused]))
    return kernels
