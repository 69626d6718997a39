"""Many networks in one image, each with its own generated C, memory plan and arena.

A sample names the network it is for. The arena is filled with a pattern before every inference,
and what lies behind the network's own bytes must still hold it afterwards. Neighbouring samples of
one network are the steps of one stream.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from merged import generate

from tinyml.codegen.module import ArenaSlot, CModule
from tinyml.device.qemu import run_firmware
from tinyml.firmware.boards import Board
from tinyml.firmware.build import build_firmware
from tinyml.ir.graph import Array, Graph
from tinyml.ops.contract.c import Isa

ALIGNMENT = 16
NUMBER_BYTES = 4
GUARD_BYTES = 64
# What invoke returns, in place of a layer's number, where a network wrote behind its arena.
WROTE_OUTSIDE = 9999


def outputs_on(
    board: Board, graphs: Sequence[Graph], samples: Sequence[Sequence[Array]], folder: Path
) -> list[Array]:
    """Answer int8 (samples, bytes of all outputs) of each graph, as the device gets it."""
    isas = frozenset([Isa(board.isa)])
    modules = [generate(graph, f"network_{i:03}", isas) for i, graph in enumerate(graphs)]
    image = _image(modules)
    rows = [_rows(i, arrays, image.inputs[0].size) for i, arrays in enumerate(samples)]
    # A stream must not be dealt out to several emulators.
    jobs = 1 if any(module.state_bytes for module in modules) else None
    result = run_firmware(build_firmware(image, board, folder), np.concatenate(rows), jobs=jobs)
    counts = np.cumsum([len(row) for row in rows])
    parts = np.split(result.outputs.view(np.int8), counts[:-1])
    return [
        part[:, : sum(slot.size for slot in module.outputs)]
        for part, module in zip(parts, modules, strict=True)
    ]


def _rows(number: int, arrays: Sequence[Array], row_bytes: int) -> Array:
    """One uint8 row a sample: the network's number, its inputs one after another, zeros."""
    inputs = [
        np.ascontiguousarray(array).reshape(len(array), -1).view(np.uint8) for array in arrays
    ]
    rows = np.zeros((len(arrays[0]), row_bytes), np.uint8)
    rows[:, :2] = np.frombuffer(number.to_bytes(2, "little"), np.uint8)
    filled = np.concatenate(inputs, axis=1)
    rows[:, NUMBER_BYTES : NUMBER_BYTES + filled.shape[1]] = filled
    return rows


def _image(modules: Sequence[CModule]) -> CModule:
    """One module that hands every sample to the network it names."""
    row = NUMBER_BYTES + max(sum(slot.size for slot in module.inputs) for module in modules)
    result = max(sum(slot.size for slot in module.outputs) for module in modules)
    arena = max(module.arena_bytes for module in modules) + GUARD_BYTES
    result_offset = _aligned(row)
    arena_offset = result_offset + _aligned(result)
    macros = {
        "RESULT_OFFSET": result_offset,
        "RESULT_BYTES": result,
        "ARENA_OFFSET": arena_offset,
        "ARENA_BYTES": arena,
        "WROTE_OUTSIDE": WROTE_OUTSIDE,
    }
    files = {name: text for module in modules for name, text in module.files.items()}
    files["networks.h"] = "int networks_invoke(void *memory);\n"
    files["networks.c"] = _source(modules, macros)
    return CModule(
        name="networks",
        files=files,
        kernels=tuple(sorted({kernel for module in modules for kernel in module.kernels})),
        arena_bytes=arena_offset + arena,
        arena_alignment=ALIGNMENT,
        inputs=(ArenaSlot(name="row", offset=0, size=row),),
        outputs=(ArenaSlot(name="result", offset=result_offset, size=result),),
        weights_by_tensor={},
        peak_by_tensor={},
        cmsis_nn=modules[0].cmsis_nn,
    )


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _source(modules: Sequence[CModule], macros: dict[str, int]) -> str:
    defines = "".join(f"#define {name} {value}\n" for name, value in macros.items())
    includes = "".join(f'#include "{module.name}.h"\n' for module in modules)
    slots = "".join(
        f"static const struct slot {module.name}_{end}[] = {{{_entries(own)}}};\n"
        for module in modules
        for end, own in (("inputs", module.inputs), ("outputs", module.outputs))
    )
    runs = "".join(map(_run, modules))
    networks = ",\n".join(
        f"    {{{m.name}_run, {m.arena_bytes}, {m.name}_inputs, {m.name}_outputs}}" for m in modules
    )
    return (
        f"#include <stdint.h>\n#include <string.h>\n\n{includes}\n{defines}\n{STRUCTS}\n{runs}"
        f"{slots}\nstatic const struct network networks[] = {{\n{networks},\n}};\n{INVOKE}"
    )


def _run(module: CModule) -> str:
    """A function that starts a stream where it is told to, and takes one step of it."""
    name = module.name
    state, start, argument = "", "    (void)starts;\n", "arena"
    if module.state_bytes:
        state = f"    static {name}_state state;\n"
        start = f"    if (starts)\n    {{\n        {name}_init_state(&state);\n    }}\n"
        argument = "arena, &state"
    head = f"static int {name}_run(void *arena, int starts)\n{{\n"
    return f"{head}{state}{start}    return {name}_invoke({argument});\n}}\n\n"


def _entries(slots: Sequence[ArenaSlot]) -> str:
    """Offsets and sizes, ended by a slot of no bytes."""
    return ", ".join([*(f"{{{slot.offset}, {slot.size}}}" for slot in slots), "{0, 0}"])


STRUCTS = """\
struct slot
{
    uint32_t offset;
    uint32_t size;
};

struct network
{
    int (*run)(void *arena, int starts);
    uint32_t arena_bytes;
    const struct slot *inputs;
    const struct slot *outputs;
};
"""

INVOKE = """
int networks_invoke(void *memory)
{
    static const struct network *streaming;
    const uint8_t *row = memory;
    const struct network *network = &networks[row[0] | row[1] << 8];
    uint8_t *const arena = (uint8_t *)memory + ARENA_OFFSET;
    uint8_t *result = (uint8_t *)memory + RESULT_OFFSET;
    const uint8_t pattern = 0xA5;

    memset(result, 0, RESULT_BYTES);
    memset(arena, pattern, ARENA_BYTES);
    row += 4;
    for (const struct slot *slot = network->inputs; slot->size; slot++)
    {
        memcpy(arena + slot->offset, row, slot->size);
        row += slot->size;
    }
    const int failed_layer = network->run(arena, network != streaming);
    streaming = network;
    if (failed_layer)
    {
        return failed_layer;
    }
    for (uint32_t i = network->arena_bytes; i < ARENA_BYTES; i++)
    {
        if (arena[i] != pattern)
        {
            return WROTE_OUTSIDE;
        }
    }
    for (const struct slot *slot = network->outputs; slot->size; slot++)
    {
        memcpy(result, arena + slot->offset, slot->size);
        result += slot->size;
    }
    return 0;
}
"""
