"""Plan to a Program: every layer's calls with addresses and names settled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tinyml.ir.graph import Array, Graph, State, Tensor
from tinyml.ops.contract.c import (
    Argument,
    ConstantArray,
    KernelCall,
    ScratchContext,
    Struct,
    TensorPointer,
)
from tinyml.ops.contract.operator import Operator
from tinyml.plan.arena import ALIGNMENT, MemoryPlan
from tinyml.plan.choose import Step
from tinyml.plan.plan import Plan

LONGEST_IDENTIFIER = 40


@dataclass(frozen=True, slots=True)
class Layer:
    """One operator: its C function, the comment above it, and its calls (none for an alias)."""

    number: int
    function: str
    comment: str
    operator: Operator
    calls: tuple[KernelCall, ...]
    scratch_offset: int
    scratch_bytes: int


@dataclass(frozen=True, slots=True)
class Program:
    """What the C text is made of, and nothing else.

    ``cmsis_nn`` is the major version whose kernels are called; where ``needs_version``, the same C
    with another version would compile and be wrong. ``constants`` maps C names to
    arrays in the order of use; ``constant_names`` maps constant tensors of the graph to those
    names. ``states`` maps tensors that keep their bytes to offsets in the ``state_bytes`` a stream
    has of its own.
    """

    name: str
    cmsis_nn: int
    needs_version: bool
    graph: Graph
    memory: MemoryPlan
    layers: tuple[Layer, ...]
    constants: Mapping[str, Array]
    constant_names: Mapping[str, str]
    states: Mapping[str, int]
    state_bytes: int


def make_program(plan: Plan, name: str) -> Program:
    """Name everything in a plan; ``name`` is a C identifier."""
    graph = plan.graph
    names = _layer_names(graph)
    layers = tuple(
        _make_layer(plan, number, step, names[step.op.name])
        for number, step in enumerate(plan.steps, start=1)
    )
    constants: dict[str, Array] = {}
    constant_names: dict[str, str] = {}
    for layer in layers:
        for call in layer.calls:
            _collect_constants(graph, name, layer, call, constants, constant_names)
    for state in graph.states:
        if len(set(np.ascontiguousarray(state.initial).tobytes())) > 1:
            constants[state_constant_name(name, graph, state)] = state.initial
    states, state_bytes = _place_states(graph)
    return Program(
        name=name,
        cmsis_nn=plan.target.cmsis_nn,
        needs_version=any(step.kernel.version_bound for step in plan.steps),
        graph=graph,
        memory=plan.memory,
        layers=layers,
        constants=constants,
        constant_names=constant_names,
        states=states,
        state_bytes=state_bytes,
    )


def _place_states(graph: Graph) -> tuple[dict[str, int], int]:
    """Put one after the other, each where its elements are aligned."""
    offsets, end = {}, 0
    for state in graph.states:
        offsets[state.tensor] = end
        end += -(-graph.tensor(state.tensor).nbytes // ALIGNMENT) * ALIGNMENT
    return offsets, end


def state_constant_name(program: str, graph: Graph, state: State) -> str:
    """C name of the array that holds a state's first value, where its bytes are not all equal."""
    return f"{program}_state_{graph.states.index(state) + 1:02}_initial"


def identifier(text: str) -> str:
    """Turn any text into a lower-case C identifier."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if name and not name[0].isdigit() else f"n_{name}".rstrip("_")


def constant_name(program: str, layer: Layer, suffix: str) -> str:
    """C name of an array that belongs to a layer."""
    return f"{program}_{layer.function}_{suffix}"


def short_name(name: str) -> str:
    """What a reader recognises of a converter's long tensor name: the layer it came from.

    The TFLite converter joins the names of all operators it fused with ';', each a path.
    """
    first = name.split(";")[0].split(":")[0]
    parts = [part for part in first.split("/") if part]
    return "/".join(parts[-2:]) if parts else name


def comment_text(name: str) -> str:
    """A name out of a model as it may stand in a C comment: it neither ends nor opens one."""
    printable = "".join(c if c.isprintable() else " " for c in name)
    return printable.replace("*/", "* /").replace("/*", "/ *")


def _layer_names(graph: Graph) -> dict[str, str]:
    names = {}
    for number, op in enumerate(graph.ops, start=1):
        base = identifier(short_name(op.name))[:LONGEST_IDENTIFIER].rstrip("_")
        names[op.name] = f"layer_{number:02}_{base}"
    return names


def _make_layer(plan: Plan, number: int, step: Step, function: str) -> Layer:
    return Layer(
        number=number,
        function=function,
        comment=_describe(plan.graph, step.op),
        operator=step.op,
        calls=step.kernel.calls,
        scratch_offset=plan.memory.scratch.get(step.op.name, 0),
        scratch_bytes=step.kernel.scratch_bytes,
    )


def _describe(graph: Graph, op: Operator) -> str:
    """One line: layer name, operator, shapes."""
    inputs = map(graph.tensor, op.present_inputs)
    sources = ", ".join(_shape(tensor) for tensor in inputs if not tensor.is_constant)
    results = ", ".join(_shape(graph.tensor(name)) for name in op.outputs) or "state"
    name = comment_text(short_name(op.name))
    return f"{name}: {op.opcodes[0]}, {sources} -> {results}"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _collect_constants(
    graph: Graph,
    program: str,
    layer: Layer,
    call: KernelCall,
    constants: dict[str, Array],
    constant_names: dict[str, str],
) -> None:
    for argument in _flattened(call.arguments):
        if isinstance(argument, ConstantArray):
            constants[constant_name(program, layer, argument.suffix)] = argument.data
        elif isinstance(argument, TensorPointer) and argument.name:
            tensor = graph.tensor(argument.name)
            if tensor.is_constant and tensor.name not in constant_names:
                role = _role(graph, layer.operator, tensor.name)
                constant_names[tensor.name] = constant_name(program, layer, role)
                constants[constant_names[tensor.name]] = np.asarray(tensor.constant)


def _flattened(arguments: tuple[Argument, ...]) -> list[object]:
    """Arguments with the arrays inside structs and contexts laid open."""
    flat: list[object] = []
    for argument in arguments:
        flat.append(argument)
        if isinstance(argument, Struct):
            flat.extend(_leaves(argument.fields))
        elif isinstance(argument, ScratchContext):
            flat.append(argument.array)
    return flat


def _leaves(fields: Mapping[str, object]) -> Iterator[object]:
    for value in fields.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield value


def _role(graph: Graph, op: Operator, name: str) -> str:
    """Name a constant by what the operator uses it for."""
    index = op.inputs.index(name)
    rule = op.quantization_rule(graph)
    if index in rule.weights:
        return "weights"
    return "bias" if index == rule.bias else f"input_{index}"
