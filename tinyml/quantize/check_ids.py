"""Whether ids in the data name rows of the tables they pick from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tinyml.data.dataset import plain_name
from tinyml.errors import InputError
from tinyml.ir.graph import Array, Graph
from tinyml.ops.add import Add
from tinyml.ops.cast import Cast
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.gather import Gather
from tinyml.ops.reshape import Reshape
from tinyml.ops.select import Select
from tinyml.ops.transpose import Transpose


def check_ids(graph: Graph, samples: Sequence[Array]) -> None:
    """Raise InputError where an input's ids lie outside of a table that it picks rows from.

    ``samples`` holds one array per input, (N, *input shape). Ids that reach a GATHER unchanged are
    held to its table, negative ones too where the model adds the table's size to those.
    """
    by_name = dict(zip(graph.inputs, samples, strict=True))
    for gather, name, lowest in _picked_by_inputs(graph):
        array, size = by_name[name], graph.tensor(gather.inputs[0]).shape[gather.axis]
        if array.min() < lowest or array.max() >= size:
            raise InputError(
                f"the data of input '{plain_name(name)}' reach from {array.min():g} to "
                f"{array.max():g}, expected {lowest} to {size - 1}: GATHER '{gather.name}' picks "
                f"from {size} rows; give the ids that the model was trained with"
            )


def _picked_by_inputs(graph: Graph) -> Iterator[tuple[Gather, str, int]]:
    """Each GATHER of ids that are an input, the input, and the lowest id it may hold."""
    for op in graph.ops:
        if not isinstance(op, Gather):
            continue
        name, lowest = _unmoved(graph, op.inputs[1]), 0
        chosen = graph.producers.get(name)
        if isinstance(chosen, Select):
            name, lowest = _wrapped(graph, chosen)
        if name in graph.inputs:
            yield op, name, lowest


def _unmoved(graph: Graph, name: str) -> str:
    """The tensor whose elements, all of them, these are."""
    while isinstance(op := graph.producers.get(name), Cast | Reshape | Transpose):
        name = op.inputs[0]
    return name


def _wrapped(graph: Graph, op: Select) -> tuple[str, int]:
    """Of a choice between x + size, where x < 0, and x: what x is, and minus the size."""
    condition, added = (graph.producers.get(name) for name in op.inputs[:2])
    x = op.inputs[2]
    if not isinstance(condition, Comparison) or not isinstance(added, Add):
        return "", 0
    limit, size = (graph.tensor(each.inputs[1]).data for each in (condition, added))
    if condition.relation is not Relation.LESS or limit is None or limit.any():
        return "", 0
    if {condition.inputs[0], added.inputs[0]} != {x} or size is None or size.size != 1:
        return "", 0
    return _unmoved(graph, x), -int(size.reshape(-1)[0])
