"""A graph in stages, each a .tflite of its own for the runtime that counts for its operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, Graph, Op
from tinyml.ops.variable import AssignVariable, ReadVariable
from tinyml.runtime.tflite import Copy, Runtime, Stage, Step


@dataclass(frozen=True, slots=True)
class Stages:
    """Steps that a sample takes one after another, and values that are there before the first."""

    steps: tuple[Step, ...]
    values: Mapping[str, Array]


def cut_into_stages(graph: Graph, runtimes: Sequence[Runtime]) -> Stages:
    """Cut where the runtime changes; ``runtimes`` holds that of each operator.

    In a graph that is cut, variables belong to no stage: what reads or assigns one copies a value
    between the stages, so that it may be read in one and assigned in another.
    """
    constants = {name: graph.tensor(name) for name in graph.outputs}
    values = {name: tensor.constant for name, tensor in constants.items() if tensor.is_constant}
    is_cut = len(set(runtimes)) > 1
    if is_cut:
        values |= {state.tensor: state.initial for state in graph.states if state.variable}
    pairs = [
        (op, None if is_cut and _is_copy(op) else runtime)
        for op, runtime in zip(graph.ops, runtimes, strict=True)
    ]
    steps: list[Step] = []
    for runtime, run in groupby(pairs, key=lambda pair: pair[1]):
        ops = tuple(op for op, _ in run)
        steps += [_stage(graph, ops, runtime)] if runtime else map(_copy, ops)
    return Stages(tuple(steps), values)


def _is_copy(op: Op) -> bool:
    return isinstance(op, ReadVariable | AssignVariable)


def _copy(op: Op) -> Copy:
    if isinstance(op, ReadVariable):
        return Copy(op.inputs[0], op.outputs[0])
    state, source = op.inputs
    return Copy(source, state)


def _stage(graph: Graph, ops: tuple[Op, ...], runtime: Runtime) -> Stage:
    """Write the operators as a model.

    Every activation is an output, so that the runtime keeps it: both runtimes work in place on
    what a RESHAPE hands on even where its source is still to be read.
    """
    made = dict.fromkeys(name for op in ops for name in op.outputs)
    read = dict.fromkeys(name for op in ops for name in op.present_inputs)
    inputs = tuple(name for name in read if name not in made and _is_activation(graph, name))
    outputs = tuple(name for name in made if _is_wanted(graph, name, ops))
    kept = dict.fromkeys((*outputs, *inputs, *made))
    part = replace(graph, ops=ops, inputs=inputs, outputs=tuple(kept)).pruned()
    return Stage(write_tflite(part), runtime, inputs, outputs)


def _is_activation(graph: Graph, name: str) -> bool:
    return not graph.tensor(name).is_constant and name not in graph.state_names


def _is_wanted(graph: Graph, name: str, ops: tuple[Op, ...]) -> bool:
    """Whether anything beside these operators asks for the tensor."""
    own = {op.name for op in ops}
    return name in graph.outputs or any(op.name not in own for op in graph.consumers[name])
