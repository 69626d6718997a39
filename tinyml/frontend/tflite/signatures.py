"""Which of a .tflite's subgraphs is meant, where it has several that can be called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinyml.errors import InputError
from tinyml.frontend.tflite.tensors import text_of, values_of
from tinyml.ir.graph import Graph
from tinyml.passes.rename_tensors import rename_tensors


def signatures_of(model: Any) -> Mapping[str, Any]:
    """The signatures by their names, of subgraphs that are there."""
    count = len(values_of(model.subgraphs))
    found = {text_of(each.signatureKey): each for each in values_of(model.signatureDefs)}
    return {key: each for key, each in found.items() if 0 <= each.subgraphIndex < count}


def chosen_subgraph(model: Any, name: str, wanted: str | None) -> int:
    """Index of the subgraph that ``wanted`` names, or of the only one.

    A model without signatures has nothing to choose from. InputError where the choice is open, or
    there is no signature of that name.
    """
    signatures = signatures_of(model)
    places = {key: int(each.subgraphIndex) for key, each in signatures.items()}
    shown = ", ".join(f"'{key}'" for key in places)
    if wanted is None:
        if len(set(places.values())) > 1:
            raise InputError(
                f"'{name}' has {len(places)} signatures, expected one: {shown}; choose with "
                "--signature NAME"
            )
        return 0
    if places and wanted not in places:
        raise InputError(
            f"'{name}' has no signature '{wanted}', expected one of {shown}; choose with "
            "--signature NAME"
        )
    return places.get(wanted, 0)


def other_subgraphs(model: Any, chosen: int) -> set[int]:
    """Those that signatures name, beside the one that was chosen."""
    return {int(each.subgraphIndex) for each in signatures_of(model).values()} - {chosen}


def with_own_names(graph: Graph, model: Any, wanted: str | None, order: list[str]) -> Graph:
    """Let inputs and outputs be called as the signature that was asked for calls them."""
    signature = signatures_of(model).get(wanted) if wanted is not None else None
    if signature is None:
        return graph
    entries = (*values_of(signature.inputs), *values_of(signature.outputs))
    names = {
        order[entry.tensorIndex]: text_of(entry.name)
        for entry in entries
        if 0 <= entry.tensorIndex < len(order)
    }
    edges = {*graph.inputs, *graph.outputs}
    counts = Counter(names.values())
    free = {
        old: new
        for old, new in names.items()
        if old in edges and counts[new] == 1 and new and new not in graph.tensors
    }
    return rename_tensors(graph, free)
