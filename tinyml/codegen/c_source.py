"""Program to a C module: the text of ``NAME.c`` and ``NAME_weights.c``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tinyml.codegen import c_state
from tinyml.codegen.c_arrays import c_type, declaration, definition
from tinyml.codegen.c_header import ARENA_ALIGNMENT, arena_slots, banner, render_header
from tinyml.codegen.module import CModule
from tinyml.codegen.program import Layer, Program, constant_name, make_program, short_name
from tinyml.ir.graph import DType
from tinyml.ops.contract.c import (
    Argument,
    ConstantArray,
    KernelCall,
    ScratchContext,
    ScratchPointer,
    Struct,
    TensorPointer,
)
from tinyml.plan.lifetimes import at_peak
from tinyml.plan.plan import Plan


def generate_c(plan: Plan, name: str) -> CModule:
    """Make the C module of a plan; the same arguments always give the same bytes."""
    program = make_program(plan, name)
    kernels = {call.source for layer in program.layers for call in layer.calls if call.source}
    return CModule(
        name=name,
        cmsis_nn=program.cmsis_nn,
        files={
            f"{name}.h": render_header(program),
            f"{name}.c": _render_source(program),
            f"{name}_weights.c": _render_weights(program),
        },
        kernels=tuple(sorted(kernels)),
        arena_bytes=program.memory.arena_bytes,
        arena_alignment=ARENA_ALIGNMENT,
        state_bytes=program.state_bytes,
        inputs=arena_slots(program, plan.graph.inputs),
        outputs=arena_slots(program, plan.graph.outputs),
        weights_by_tensor={
            tensor: program.constants[c_name].nbytes
            for tensor, c_name in program.constant_names.items()
        },
        peak_by_tensor=_peak(program),
    )


def _peak(program: Program) -> dict[str, int]:
    held = at_peak(program.memory.buffers)
    return {" = ".join(map(short_name, b.tensors)) or "scratch": b.size for b in held}


def _render_weights(program: Program) -> str:
    arrays = (definition(name, data) for name, data in program.constants.items())
    return "\n".join([banner(program), "#include <stdint.h>\n", *_declarations(program), *arrays])


def _declarations(program: Program) -> list[str]:
    lines = [f"extern {declaration(name, data)};" for name, data in program.constants.items()]
    return [*lines, ""] if lines else []


def _render_source(program: Program) -> str:
    called = [layer for layer in program.layers if layer.calls]
    kernels_include = ['#include "tinyml_kernels.h"'] if _uses_kernels(called) else []
    return "\n".join(
        [
            banner(program),
            f'#include "{program.name}.h"',
            "",
            "#include <stddef.h>",
            *c_state.includes(program),
            "",
            '#include "arm_nnfunctions.h"',
            *kernels_include,
            "",
            *_version_guard(program),
            *_declarations(program),
            *(_render_layer(program, layer) for layer in called),
            _render_hook(program),
            *c_state.initialisation(program),
            _render_invoke(program),
        ]
    )


def _uses_kernels(layers: Iterable[Layer]) -> bool:
    return any(call.source for layer in layers for call in layer.calls)


def _render_hook(program: Program) -> str:
    """Profiling and layer-by-layer comparison hang in here; compiled out unless asked for."""
    hook = f"{program.name.upper()}_LAYER_HOOK"
    return "\n".join(
        [
            f"/* Define {hook} as the name of a function to see every layer's output. */",
            f"#ifdef {hook}",
            f"void {hook}(int layer, const void *output, uint32_t bytes);",
            f"#define AFTER_LAYER(layer, output, bytes) {hook}(layer, output, bytes)",
            "#else",
            "#define AFTER_LAYER(layer, output, bytes) ((void)0)",
            "#endif",
            "",
        ]
    )


def _render_invoke(program: Program) -> str:
    lines = [
        f"int {program.name}_invoke(void *arena{c_state.parameter(program)})",
        "{",
        "    int8_t *const memory = arena;",
        *(["    int8_t *const kept = (int8_t *)state->words;"] if program.state_bytes else []),
        "",
    ]
    if not any(layer.calls for layer in program.layers):
        lines.append("    (void)memory;")
    for layer in program.layers:
        lines += _render_step(program, layer)
    return "\n".join([*lines, "    return 0;", "}", ""])


def _render_step(program: Program, layer: Layer) -> list[str]:
    if not layer.calls:
        return [f"    /* layer {layer.number}, {layer.comment}: the same bytes */"]
    arguments = "memory, kept" if c_state.is_touched_by(program, layer) else "memory"
    lines = [
        f"    if ({layer.function}({arguments}) != ARM_CMSIS_NN_SUCCESS) {{",
        f"        return {layer.number};",
        "    }",
    ]
    if layer.operator.outputs:
        output = program.graph.tensor(layer.operator.outputs[0])
        address = f"memory + {program.memory.tensors[output.name]}"
        lines.append(f"    AFTER_LAYER({layer.number}, {address}, {output.nbytes});")
    return lines


def _render_layer(program: Program, layer: Layer) -> str:
    """One static function, which says in a comment what it computes."""
    body: list[str] = []
    for call in layer.calls:
        body += _render_call(program, layer, call)
    if not layer.calls[-1].returns_status:
        body.append("    return ARM_CMSIS_NN_SUCCESS;")
    kept = ", int8_t *kept" if c_state.is_touched_by(program, layer) else ""
    head = [f"/* {layer.comment} */", f"static int {layer.function}(int8_t *memory{kept})", "{"]
    return "\n".join([*head, *body, "}", ""])


def _render_call(program: Program, layer: Layer, call: KernelCall) -> list[str]:
    structs = [argument for argument in call.arguments if isinstance(argument, Struct)]
    lines = [_render_struct(program, layer, struct) for struct in structs]
    if any(isinstance(argument, ScratchContext) for argument in call.arguments):
        lines.append(_render_context(program, layer, call))
    arguments = [_render_argument(program, argument, layer) for argument in call.arguments]
    opening = f"    {'return ' if call.returns_status else ''}{call.function}("
    return [*lines, *_wrapped(opening, arguments)]


def _wrapped(opening: str, arguments: list[str]) -> list[str]:
    """Break an argument list into lines of at most 100 columns."""
    lines, line = [], opening
    for position, argument in enumerate(arguments):
        text = argument + (");" if position == len(arguments) - 1 else ",")
        if len(line) + len(text) + 1 > 100:
            lines.append(line)
            line = "       "
        line += text if line.endswith("(") else f" {text}"
    return [*lines, line]


def _render_argument(program: Program, argument: Argument, layer: Layer) -> str:
    match argument:
        case Struct(name=name):
            return f"&{name}"
        case ScratchContext():
            return "&context"
        case ConstantArray(suffix=suffix):
            return constant_name(program.name, layer, suffix)
        case TensorPointer():
            return _render_pointer(program, argument)
        case ScratchPointer(offset=offset):
            return f"memory + {layer.scratch_offset + offset}"
        case _:
            return str(argument)


def _render_pointer(program: Program, pointer: TensorPointer) -> str:
    name = pointer.name
    if not name:
        return "NULL"
    dtype = program.graph.tensor(name).dtype
    if name in program.constant_names:
        constant = program.constant_names[name]
        needs_cast = pointer.as_bytes and dtype is not DType.INT8
        return f"(const int8_t *){constant}" if needs_cast else constant
    if name in program.states:
        address = f"kept + {program.states[name]}"
    else:
        address = f"memory + {program.memory.tensors[name]}"
    is_plain = pointer.as_bytes or dtype is DType.INT8
    return address if is_plain else f"({c_type(dtype.numpy)} *)({address})"


def _render_struct(program: Program, layer: Layer, struct: Struct) -> str:
    fields = _render_fields(program, layer, struct.fields)
    return f"    static const {struct.c_type} {struct.name} = {fields};"


def _render_fields(program: Program, layer: Layer, fields: Mapping[str, Any]) -> str:
    texts = [f".{name} = {_render_value(program, layer, v)}" for name, v in fields.items()]
    return "{" + ", ".join(texts) + "}"


def _render_value(program: Program, layer: Layer, value: object) -> str:
    match value:
        case ConstantArray(suffix=suffix, data=data):
            # CMSIS-NN's structs hold pointers to non-const, which its kernels only read.
            return f"({data.dtype.name}_t *){constant_name(program.name, layer, suffix)}"
        case Mapping():
            return _render_fields(program, layer, value)
        case list():
            return "{" + ", ".join(map(str, value)) + "}"
        case _:
            return str(value)


def _render_context(program: Program, layer: Layer, call: KernelCall) -> str:
    context = next(a for a in call.arguments if isinstance(a, ScratchContext))
    buffer, size = "NULL", 0
    if context.array is not None:
        buffer = f"(void *){constant_name(program.name, layer, context.array.suffix)}"
        size = context.array.data.nbytes
    elif layer.scratch_bytes:
        buffer, size = f"memory + {layer.scratch_offset}", layer.scratch_bytes
    return f"    const cmsis_nn_context context = {{{buffer}, {size}}};"


def _version_guard(program: Program) -> list[str]:
    """Repeat prototypes that CMSIS-NN changed: they fail to compile with another version."""
    if not program.needs_version:
        return []
    since_7, since_6 = program.cmsis_nn >= 7, program.cmsis_nn >= 6
    upscaling = "const cmsis_nn_dims *, " if since_7 else ""
    params, output = (
        ("const cmsis_nn_conv_params *, ", ", const cmsis_nn_dims *") if since_6 else ("", "")
    )
    return [
        f"/* Fails to compile where the kernels are not those of CMSIS-NN {program.cmsis_nn}. */",
        "arm_cmsis_nn_status arm_convolve_s8(",
        "    const cmsis_nn_context *, const cmsis_nn_conv_params *,",
        "    const cmsis_nn_per_channel_quant_params *, const cmsis_nn_dims *, const int8_t *,",
        "    const cmsis_nn_dims *, const int8_t *, const cmsis_nn_dims *, const int32_t *,",
        f"    {upscaling}const cmsis_nn_dims *, int8_t *);",
        "int32_t arm_convolve_1_x_n_s8_get_buffer_size(",
        f"    {params}const cmsis_nn_dims *, const cmsis_nn_dims *{output});",
        "",
    ]
