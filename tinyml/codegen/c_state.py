"""The C of what a model keeps between inferences; a model that keeps nothing has none of it."""

from __future__ import annotations

import numpy as np

from tinyml.codegen.program import Layer, Program, state_constant_name
from tinyml.ir.graph import State
from tinyml.ops.contract.c import TensorPointer


def parameter(program: Program) -> str:
    """Declare the state after the arena, where there is any."""
    return f", {program.name}_state *state" if program.state_bytes else ""


def is_touched_by(program: Program, layer: Layer) -> bool:
    """Whether a layer reads or writes state."""
    arguments = [argument for call in layer.calls for argument in call.arguments]
    return any(isinstance(a, TensorPointer) and a.name in program.states for a in arguments)


def declarations(program: Program) -> list[str]:
    """What the header says of the state."""
    if not program.state_bytes:
        return []
    name, upper = program.name, program.name.upper()
    return [
        "/* What one stream keeps from one inference to the next. The caller owns it, and gives it",
        " * its first value; one for each stream. */",
        f"#define {upper}_STATE_BYTES {program.state_bytes}",
        "",
        "typedef struct {",
        f"    int32_t words[{upper}_STATE_BYTES / 4];",
        f"}} {name}_state;",
        "",
        f"void {name}_init_state({name}_state *state);",
        "",
    ]


def includes(program: Program) -> list[str]:
    """Moves of bytes into and out of the state are plain memcpy."""
    return ["#include <string.h>"] if program.state_bytes else []


def initialisation(program: Program) -> list[str]:
    """Define the function that starts a stream."""
    if not program.state_bytes:
        return []
    name = program.name
    lines = [
        f"void {name}_init_state({name}_state *state)",
        "{",
        "    int8_t *const kept = (int8_t *)state->words;",
        "",
    ]
    lines += [_fill(program, state) for state in program.graph.states]
    return ["\n".join([*lines, "}", ""])]


def _fill(program: Program, state: State) -> str:
    address = f"kept + {program.states[state.tensor]}"
    values = np.ascontiguousarray(state.initial).reshape(-1).view(np.int8)
    if state_constant_name(program.name, program.graph, state) in program.constants:
        source = state_constant_name(program.name, program.graph, state)
        return f"    memcpy({address}, {source}, {values.size});"
    return f"    memset({address}, {values[0]}, {values.size});"
