"""Graph and target to a Plan: made once, and all that code generation and reports look at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tinyml.errors import ModelError
from tinyml.ir.graph import Graph
from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.target import Target
from tinyml.plan.arena import MemoryPlan, plan_memory
from tinyml.plan.choose import Step, choose_kernels

# Offsets in the arena are of C's type int.
LARGEST_ARENA = 2**30


@dataclass(frozen=True, slots=True)
class Plan:
    """The prepared graph, in the order of its operators, with their kernels and its memory."""

    graph: Graph
    target: Target
    steps: tuple[Step, ...]
    memory: MemoryPlan


def make_plan(
    graph: Graph, target: Target, allowed: Collection[Candidate[Any]] | None = None
) -> Plan:
    """Choose kernels among ``allowed`` candidates (all by default) and lay the memory out.

    ``graph`` is prepared for the device: integers inside and at its edges. Raises RefusedError that
    lists every operator the device cannot run, and ModelError where no arena can be addressed.
    """
    steps = choose_kernels(graph, target, allowed)
    _require_activations_at_edges(graph)
    memory = plan_memory(graph, {step.op.name: step.kernel for step in steps})
    _require_addressable(memory)
    return Plan(graph, target, steps, memory)


def _require_activations_at_edges(graph: Graph) -> None:
    for name in (*graph.inputs, *graph.outputs):
        if graph.tensor(name).is_constant:
            raise ModelError(
                f"'{name}' is an input or output of the model and a constant, expected a tensor "
                "that is computed; leave it out of the model's boundary"
            )


def _require_addressable(memory: MemoryPlan) -> None:
    if memory.arena_bytes > LARGEST_ARENA:
        raise ModelError(
            f"the tensors needed at one time take {memory.arena_bytes:,} bytes, expected at most "
            f"{LARGEST_ARENA:,}; make the model's tensors smaller"
        )
