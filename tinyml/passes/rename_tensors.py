"""Gives tensors other names, and the operators that write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tinyml.ir.graph import Graph


def rename_tensors(graph: Graph, names: Mapping[str, str]) -> Graph:
    """Replace names by ``names``, old to new; the new ones must not be taken."""

    def new(name: str) -> str:
        return names.get(name, name)

    return replace(
        graph,
        tensors={new(n): replace(t, name=new(n)) for n, t in graph.tensors.items()},
        ops=tuple(op.renamed(names) for op in graph.ops),
        inputs=tuple(map(new, graph.inputs)),
        outputs=tuple(map(new, graph.outputs)),
    )
