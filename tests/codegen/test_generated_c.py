"""The generated C is compiled, linked and run; its bytes are the oracle's."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from graphs import activation, branches_int8, make_graph, relu, reshape, small_int8, spread
from host_program import STRICT, build_program, include_flags, run_program, write_module
from modules import module_of
from references import reference_of

from tinyml.codegen.module import CModule
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType, Graph
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import run_tflite


def generate(graph: Graph, name: str) -> CModule:
    return module_of(graph, name, PORTABLE)


def int8_samples(graph: Graph, count: int) -> list[np.ndarray]:
    shapes = [graph.tensor(name).shape for name in graph.inputs]
    return [np.stack([spread(shape, seed) for seed in range(count)]) for shape in shapes]


def packed(arrays: Sequence[np.ndarray]) -> bytes:
    """All arrays of the first sample, then of the second: what the programs read and write."""
    rows = [array.reshape(len(array), -1).view(np.uint8) for array in arrays]
    return np.concatenate(rows, axis=1).tobytes()


def oracle(graph: Graph, samples: Sequence[np.ndarray]) -> bytes:
    return packed(run_tflite(write_tflite(graph), samples, reference_of(graph)))


def ends(kind: str, count: int) -> list[str]:
    return [kind] if count == 1 else [f"{kind}_{number}" for number in range(count)]


def sample_loop(graph: Graph, name: str) -> str:
    """A main that runs sample after sample in an arena with guards around it, full of rubbish."""

    def transfer(function: str, end: str, stream: str) -> str:
        return f"{function}({name}_{end}(arena), 1, {name.upper()}_{end.upper()}_BYTES, {stream})"

    reads = "\n".join(
        f"        if ({transfer('fread', end, 'stdin')} == 0) break;"
        for end in ends("input", len(graph.inputs))
    )
    writes = "\n".join(
        f"        {transfer('fwrite', end, 'stdout')};"
        for end in ends("output", len(graph.outputs))
    )
    return f"""
#include <stdio.h>
#include <string.h>
#include "{name}.h"

#define GUARD 64
static uint8_t memory[GUARD + {name.upper()}_ARENA_BYTES + GUARD] __attribute__((aligned(64)));

int main(void)
{{
    uint8_t *const arena = memory + GUARD;
    memset(memory, 0x5a, sizeof memory);
    for (;;) {{
{reads}
        const int failed = {name}_invoke(arena);
        if (failed) return failed;
{writes}
    }}
    for (int i = 0; i < GUARD; i++) {{
        if (memory[i] != 0x5a || arena[{name.upper()}_ARENA_BYTES + i] != 0x5a) return 99;
    }}
    return 0;
}}
"""


GRAPHS = {
    "small": small_int8,
    "branches": lambda: prepare_for_device(branches_int8()),
    "per_channel": lambda: prepare_for_device(branches_int8(per_channel=True)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_program_gives_the_oracles_bytes_and_stays_inside_its_arena(tmp_path, name):
    graph = GRAPHS[name]()
    samples = int8_samples(graph, 20)
    program = build_program([generate(graph, name)], sample_loop(graph, name), tmp_path)

    assert run_program(program, packed(samples)) == oracle(graph, samples)


@pytest.mark.parametrize("isa", Isa)
def test_c_made_for_one_kind_of_core_gives_the_same_bytes(tmp_path, isa):
    """Kernels differ by core; all of them have a plain C version that the host runs."""
    graph = small_int8()
    samples = int8_samples(graph, 5)
    module = module_of(graph, "small", frozenset([isa]))
    program = build_program([module], sample_loop(graph, "small"), tmp_path)

    assert run_program(program, packed(samples)) == oracle(graph, samples)


def test_two_models_and_two_instances_in_one_program_do_not_disturb_each_other(tmp_path):
    small, branches = small_int8(), GRAPHS["branches"]()
    one, two = int8_samples(small, 2)[0]
    for_branches = int8_samples(branches, 1)
    main = """
#include <stdio.h>
#include "branches.h"
#include "small.h"

static uint8_t first[SMALL_ARENA_BYTES] __attribute__((aligned(SMALL_ARENA_ALIGNMENT)));
static uint8_t second[SMALL_ARENA_BYTES] __attribute__((aligned(SMALL_ARENA_ALIGNMENT)));
static uint8_t third[BRANCHES_ARENA_BYTES] __attribute__((aligned(BRANCHES_ARENA_ALIGNMENT)));

int main(void)
{
    size_t count = fread(small_input(first), 1, SMALL_INPUT_BYTES, stdin);
    count += fread(small_input(second), 1, SMALL_INPUT_BYTES, stdin);
    count += fread(branches_input_0(third), 1, BRANCHES_INPUT_0_BYTES, stdin);
    count += fread(branches_input_1(third), 1, BRANCHES_INPUT_1_BYTES, stdin);
    if (count != sizeof(int8_t) * (2 * SMALL_INPUT_SIZE + 12)) return 98;
    if (small_invoke(first) || branches_invoke(third) || small_invoke(second)) return 97;
    fwrite(small_output(first), 1, SMALL_OUTPUT_BYTES, stdout);
    fwrite(small_output(second), 1, SMALL_OUTPUT_BYTES, stdout);
    fwrite(branches_output_0(third), 1, BRANCHES_OUTPUT_0_BYTES, stdout);
    fwrite(branches_output_1(third), 1, BRANCHES_OUTPUT_1_BYTES, stdout);
    return 0;
}
"""
    modules = [generate(small, "small"), generate(branches, "branches")]

    program = build_program(modules, main, tmp_path)

    standard_input = one.tobytes() + two.tobytes() + packed(for_branches)
    expected = oracle(small, [np.stack([one, two])]) + oracle(branches, for_branches)
    assert run_program(program, standard_input) == expected


def test_the_hook_sees_every_layer_that_computes_with_the_oracles_bytes(tmp_path):
    graph = small_int8()
    samples = int8_samples(graph, 1)
    seen = """
#include <stdint.h>
#include <stdio.h>
void on_layer(int layer, const void *output, uint32_t bytes);
void on_layer(int layer, const void *output, uint32_t bytes)
{
    fprintf(stderr, "%d:%u ", layer, (unsigned)bytes);
    fwrite(output, 1, bytes, stdout);
}
"""
    main = re.sub(
        r"fwrite\(small_output.*", "(void)small_output(arena);", sample_loop(graph, "small")
    )
    computed = [op.outputs[0] for op in graph.ops if op.name != "flat"]

    program = build_program(
        [generate(graph, "small")], seen + main, tmp_path, ["-DSMALL_LAYER_HOOK=on_layer"]
    )
    result = subprocess.run([program], input=packed(samples), capture_output=True, check=True)

    layers = [int(item.split(":")[0]) for item in result.stderr.decode().split()]
    assert layers == [number for number, op in enumerate(graph.ops, 1) if op.name in computed]
    assert result.stdout == oracle(replace(graph, outputs=tuple(computed)), samples)


def test_a_model_that_computes_nothing_compiles_and_hands_its_input_on(tmp_path):
    tensors = [activation("x", (1, 4)), activation("y", (2, 2))]
    graph = make_graph(tensors, [reshape("y", "x", (2, 2))], ["x"], ["y"])
    program = build_program([generate(graph, "still")], sample_loop(graph, "still"), tmp_path)

    assert run_program(program, b"abcdefgh") == b"abcdefgh"


@pytest.mark.parametrize(
    "name",
    [
        "end*/comment",
        "a/*b",
        "/*/",
        "*\n/",
        "line\\",
        "q??/",
        "caf\xe9 \u2192",
        "\r\n\t",
        "\0",
        "\u202e",
    ],
)
def test_any_tensor_name_leaves_the_comments_whole(tmp_path, name):
    tensors = [activation(name, (1, 4)), activation(f"{name} ", (1, 4))]
    graph = make_graph(tensors, [relu(f"{name} ", name)], [name], [f"{name} "])
    samples = int8_samples(graph, 3)

    program = build_program([generate(graph, "named")], sample_loop(graph, "named"), tmp_path)

    assert run_program(program, packed(samples)) == oracle(graph, samples)


# --------------------------------------------------------------------------- the header's helpers


def scaled_identity(scale: float, zero_point: int) -> Graph:
    """An input and an output of those parameters."""
    tensors = [
        activation("x", (1, 1), scale, zero_point),
        activation("y", (1, 1), scale, zero_point),
    ]
    return make_graph(tensors, [reshape("y", "x", (1, 1))], ["x"], ["y"])


PARAMETERS = [
    (1.0, 0),
    (0.5, -128),
    (1 / 256, 127),
    (0.1, -5),
    (6 / 255, -128),
    (3.7e-5, 3),
    (1234.5, 100),
    (1e-30, 0),
    (1e30, -1),
]


def edge_values(scale: float) -> np.ndarray:
    """Halves of steps and their neighbours, the edges of float32, no numbers."""
    step = np.float32(scale)
    halves = np.arange(-600, 601, dtype=np.float32) / 2
    with np.errstate(over="ignore"):
        steps = halves * step
    nearest = [
        steps,
        np.nextafter(steps, np.float32(np.inf)),
        np.nextafter(steps, np.float32(-np.inf)),
    ]
    limits = np.finfo(np.float32)
    special = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        -np.nan,
        limits.max,
        limits.min,
        limits.tiny,
        1e-45,
    ]
    return np.concatenate([*nearest, np.array(special, np.float32), -np.float32([limits.tiny])])


def test_the_headers_helpers_are_numerics_bit_for_bit_without_undefined_behaviour(tmp_path):
    """Halves, infinities, values beyond int32, NaN; all 256 integers back."""
    modules, calls, values, expected = [], [], [], b""
    for number, (scale, zero_point) in enumerate(PARAMETERS):
        graph = scaled_identity(scale, zero_point)
        name, quant = f"m{number}", graph.tensor("x").quant
        modules.append(generate(graph, name))
        edges = edge_values(scale)
        calls.append(f"    convert({edges.size}, {name}_quantize_input, {name}_dequantize_output);")
        values.append(edges)
        integers = np.arange(-128, 128, dtype=np.int8)
        with np.errstate(over="ignore"):
            expected += quantize(edges, quant).tobytes() + dequantize(integers, quant).tobytes()
    includes = "\n".join(f'#include "{module.name}.h"' for module in modules)
    main = f"""
#include <stdio.h>
#include <stdlib.h>
{includes}

static void convert(int count, int8_t (*quantize)(float), float (*dequantize)(int8_t))
{{
    for (int i = 0; i < count; i++) {{
        float x;
        if (fread(&x, sizeof x, 1, stdin) != 1) exit(98);
        const int8_t q = quantize(x);
        fwrite(&q, 1, 1, stdout);
    }}
    for (int q = -128; q < 128; q++) {{
        const float x = dequantize((int8_t)q);
        fwrite(&x, sizeof x, 1, stdout);
    }}
}}

int main(void)
{{
{chr(10).join(calls)}
    return 0;
}}
"""
    sanitizers = ["-fsanitize=undefined,float-cast-overflow", "-fno-sanitize-recover=all"]

    program = build_program(modules, main, tmp_path, sanitizers)

    assert run_program(program, np.concatenate(values).tobytes()) == expected


@pytest.mark.parametrize("name", GRAPHS)
def test_the_header_is_cpp_too(tmp_path, name):
    """By the Arm compiler, whose Debian package always brings C++."""
    write_module(generate(GRAPHS[name](), name), tmp_path)
    calls = f"int main() {{ static unsigned char arena[64]; return {name}_invoke(arena); }}"
    (tmp_path / "main.cpp").write_text(f'#include "{name}.h"\n{calls}\n')

    subprocess.run(
        ["arm-none-eabi-g++", "-std=c++11", *STRICT[1:], "-fsyntax-only", "main.cpp"],
        cwd=tmp_path,
        check=True,
    )


def test_the_header_stands_alone_and_may_be_included_twice(tmp_path):
    write_module(generate(small_int8(), "small"), tmp_path)
    (tmp_path / "alone.c").write_text('#include "small.h"\n#include "small.h"\nint main(void) {}\n')

    subprocess.run(["gcc", *STRICT, "-fsyntax-only", "alone.c"], cwd=tmp_path, check=True)


# --------------------------------------------------------------------------- what the objects hold


def symbols(folder, module: CModule) -> dict[str, str]:
    """Symbol name to nm's letter, of the module without our kernels."""
    found = {}
    for source in write_module(module, folder)[:2]:
        target = source.with_suffix(".o")
        # Not position independent, as on the device: constant pointers are constant.
        flags = [*STRICT, "-fno-pic", "-O1", *include_flags(), "-c"]
        subprocess.run(["gcc", *flags, source, "-o", target], cwd=folder, check=True)
        listing = subprocess.run(["nm", target], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            *_, letter, name = line.split()
            if found.get(name, "U") == "U":
                found[name] = letter
    return found


def test_nothing_mutable_is_global(tmp_path):
    letters = set(symbols(tmp_path, generate(small_int8(), "small")).values())

    assert letters <= set("TtRrU")


def test_nothing_is_called_but_kernels(tmp_path):
    found = symbols(tmp_path, generate(small_int8(), "small"))

    missing = {name for name, letter in found.items() if letter == "U"}
    assert missing
    assert all(name.startswith(("arm_", "tinyml_")) for name in missing)


def test_every_global_symbol_bears_the_models_name(tmp_path):
    found = symbols(tmp_path, generate(small_int8(), "small"))

    assert all(name.startswith("small_") for name, letter in found.items() if letter in "TR")


# --------------------------------------------------------------------------- the module record


def test_the_module_says_what_the_header_says():
    module = generate(small_int8(), "small")
    header = module.files["small.h"]

    def macro(name: str) -> int:
        return int(re.search(rf"#define SMALL_{name} (\d+)", header)[1])

    assert module.arena_bytes == macro("ARENA_BYTES")
    assert module.arena_alignment == macro("ARENA_ALIGNMENT")
    (source,), (output,) = module.inputs, module.outputs
    assert (source.name, source.offset, source.size) == ("image", macro("INPUT_OFFSET"), 72)
    assert (output.name, output.offset, output.size) == (
        "probabilities",
        macro("OUTPUT_OFFSET"),
        3,
    )


def test_the_bytes_of_weights_are_listed_by_tensor():
    graph = small_int8()

    weights = generate(graph, "small").weights_by_tensor

    assert weights == {t.name: t.nbytes for t in graph.tensors.values() if t.is_constant}


def test_weights_whose_short_names_are_alike_are_listed_apart():
    renamed = {"conv/w": "a/layer/w", "dw/w": "b/layer/w"}
    graph = small_int8()
    ops = (replace(op, inputs=tuple(renamed.get(n, n) for n in op.inputs)) for op in graph.ops)
    named = (replace(t, name=renamed.get(t.name, t.name)) for t in graph.tensors.values())
    graph = replace(graph, ops=tuple(ops), tensors={tensor.name: tensor for tensor in named})

    weights = generate(graph, "small").weights_by_tensor

    assert weights == {t.name: t.nbytes for t in graph.tensors.values() if t.is_constant}


def test_a_weight_two_layers_share_is_written_once(tmp_path):
    graph = small_int8()
    shared = replace(graph.ops[-2], name="again", outputs=("again",))
    graph = replace(
        graph.with_tensors(replace(graph.tensor("logits"), name="again")),
        ops=(*graph.ops, shared),
        outputs=(*graph.outputs, "again"),
    )
    module = generate(graph, "small")
    samples = int8_samples(graph, 3)

    program = build_program([module], sample_loop(graph, "small"), tmp_path)

    assert module.files["small_weights.c"].count("weights[12] =") == 1
    assert run_program(program, packed(samples)) == oracle(graph, samples)


def test_lines_hold_the_arrays_values_exactly(tmp_path):
    graph = small_int8()
    bias, weights = graph.tensor("fc/b"), graph.tensor("fc/w")
    extreme = np.array([-(2**31), 2**31 - 1, 0], np.int32)
    # Anything but zeros beside it would leave 32 bits.
    zeros = replace(weights, data=np.zeros(weights.shape, np.int8))
    module = generate(graph.with_tensors(replace(bias, data=extreme), zeros), "small")
    main = """
#include <stdio.h>
#include "small.h"
extern const int32_t small_layer_08_logits_bias[3];
int main(void)
{
    fwrite(small_layer_08_logits_bias, 4, 3, stdout);
    return 0;
}
"""

    program = build_program([module], main, tmp_path)

    assert np.frombuffer(run_program(program), np.int32).tolist() == extreme.tolist()
    assert graph.tensor("fc/b").dtype is DType.INT32
