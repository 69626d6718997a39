"""A hand-made C module, so that firmware can be tested before and without code generation."""

from dataclasses import replace

from tinyml.codegen.module import ArenaSlot, CModule

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"

# Two instructions per round; the sample is the number of rounds.
LOOP = """    uint32_t rounds;
    __builtin_memcpy(&rounds, __builtin_assume_aligned(in, 4), 4);
    __asm volatile(".syntax unified\\n1: subs %0, %0, #1\\n bne 1b" : "+l"(rounds) : : "cc");
    return 0;"""


def make_module(
    body: str,
    *,
    name: str = "tiny",
    sample_bytes: int = 4,
    declarations: str = "",
    arena_bytes: int = 64,
    weights_by_tensor: dict[str, int] | None = None,
) -> CModule:
    """Return a module whose invoke runs ``body`` with ``uint8_t *in`` and ``*out``."""
    header = f"{SPDX}int {name}_invoke(void *arena);\n"
    source = f"""{SPDX}
#include <stdint.h>
#include "{name}.h"
{declarations}
int {name}_invoke(void *arena)
{{
    uint8_t *in = arena;
    uint8_t *out = in + 32;
    (void)in;
    (void)out;
{body}
}}
"""
    return CModule(
        name=name,
        files={f"{name}.h": header, f"{name}.c": source},
        kernels=(),
        arena_bytes=arena_bytes,
        arena_alignment=16,
        inputs=(ArenaSlot(name="in", offset=0, size=sample_bytes),),
        outputs=(ArenaSlot(name="out", offset=32, size=sample_bytes),),
        weights_by_tensor=weights_by_tensor or {"weights": 4},
        peak_by_tensor={"in": 32, "out": 32},
    )


def affine_module(name: str = "tiny") -> CModule:
    """Return a module that computes output = 2 * input + 1 for each of its 4 bytes."""
    return make_module(
        "    for (int i = 0; i < 4; i++)\n    {\n"
        "        out[i] = (uint8_t)(2 * in[i] + 1);\n    }\n    return 0;",
        name=name,
    )


def inverting_module(sample_bytes: int) -> CModule:
    """Return a module that inverts samples of any size where they lie."""
    body = f"    for (int i = 0; i < {sample_bytes}; i++)\n    {{\n        in[i] ^= 0xff;\n    }}\n"
    module = make_module(
        f"{body}    return 0;", sample_bytes=sample_bytes, arena_bytes=sample_bytes
    )
    return replace(module, outputs=(replace(module.inputs[0], name="out"),))
