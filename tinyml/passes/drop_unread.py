"""Operators of which nothing comes out: left out."""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op


def drop_unread(graph: Graph) -> Graph:
    """Leave out what no output of the graph depends on; operators without outputs stay."""
    read, kept = set(graph.outputs), list[Op]()
    for op in reversed(graph.ops):
        if not op.outputs or read & set(op.outputs):
            kept.append(op)
            read.update(op.present_inputs)
    return replace(graph, ops=tuple(reversed(kept))).pruned()
