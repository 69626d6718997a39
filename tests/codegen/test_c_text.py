import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from graphs import (
    CONVERTER_NAME,
    activation,
    branches_int8,
    int8_weights,
    make_graph,
    small_int8,
)
from hypothesis import given
from hypothesis import strategies as st
from modules import module_of

from tinyml.codegen.c_header import float_literal
from tinyml.codegen.program import identifier, short_name
from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Tensor
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.gather import Gather

ROOT = Path(__file__).parents[2]


def test_two_generations_are_equal_byte_for_byte():
    first, second = (module_of(small_int8(), "m", PORTABLE, cmsis_nn=5) for _ in range(2))

    assert first == second


def test_the_hash_seed_of_python_changes_nothing():
    script = """
from graphs import small_int8
from modules import module_of
from tinyml.export.tflite import write_tflite
from tinyml.ir.text import format_graph
from tinyml.ops.contract.c import PORTABLE
import hashlib
graph = small_int8()
files = module_of(graph, "m", PORTABLE, cmsis_nn=5).files
print(hashlib.sha256(repr(files).encode() + write_tflite(graph)).hexdigest(), format_graph(graph))
"""
    outputs = set()
    for seed in ("0", "1", "2"):
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        command = [sys.executable, "-c", script]
        result = subprocess.run(command, env=environment, capture_output=True, check=True)
        outputs.add(result.stdout)

    assert len(outputs) == 1


def test_float_at_the_edges_is_refused_by_operator_and_tensor():
    with pytest.raises(ModelError) as refusal:
        module_of(branches_int8(), "m", PORTABLE, cmsis_nn=5)

    first, *others = str(refusal.value).splitlines()
    assert first == "2 of the model's 7 operators cannot run on the device:"
    assert "QUANTIZE 'a/q': float input" in others[0]
    assert "DEQUANTIZE 'fc/float': float tensors" in others[1]


def test_the_prefix_of_every_symbol_is_the_name_asked_for():
    text = "".join(module_of(small_int8(), "thermostat", PORTABLE, cmsis_nn=5).files.values())

    assert "int thermostat_invoke(void *arena);" in text
    assert "#define THERMOSTAT_ARENA_BYTES" in text
    assert not re.search(r"\bsmall_\w*invoke", text)


def test_an_input_of_ids_is_one_of_integers_that_nothing_quantizes():
    ids = Tensor("ids", (1, 3), DType.INT32)
    table = int8_weights("table", (9, 2), None)
    rows = Gather(name="y", inputs=("table", "ids"), outputs=("y",), axis=0, batch_dims=0)
    output = activation("y", (1, 3, 2), table.scale)
    graph = make_graph([ids, table, output], [rows], ["ids"], ["y"])

    header = module_of(graph, "m", PORTABLE, cmsis_nn=5).files["m.h"]

    assert "static inline int32_t *m_input(void *arena)" in header
    assert "m_quantize_input" not in header
    assert "#define M_INPUT_BYTES 12\n" in header


def test_every_file_says_its_licence_first():
    for text in module_of(small_int8(), "m", PORTABLE, cmsis_nn=5).files.values():
        assert text.startswith("/* SPDX-License-Identifier: Apache-2.0\n")


def test_each_layers_call_has_a_line_of_name_operator_and_shapes():
    source = module_of(small_int8(), "m", PORTABLE, cmsis_nn=5).files["m.c"]

    assert "/* conv/Relu: CONV_2D, 1x8x8x2 -> 1x6x6x4 */\n" in source
    assert "/* sum: ADD, 1x6x6x4, 1x6x6x4 -> 1x6x6x4 */\n" in source
    assert "/* layer 7, flat: RESHAPE, 1x1x1x4 -> 1x4: the same bytes */\n" in source


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=0))
def test_a_literal_reads_back_as_the_same_float32(value):
    literal = float_literal(value)

    assert re.fullmatch(r"[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?f", literal)
    assert "." in literal or "e" in literal
    assert np.float32(literal.removesuffix("f")) == np.float32(value)


@given(st.text())
def test_any_text_gives_a_c_identifier(text):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", identifier(text))


@pytest.mark.parametrize(
    ("name", "short"),
    [
        (CONVERTER_NAME, "conv/Relu"),
        ("StatefulPartitionedCall/model/dense/BiasAdd", "dense/BiasAdd"),
        ("StatefulPartitionedCall:0", "StatefulPartitionedCall"),
        ("x", "x"),
        ("///", "///"),
    ],
)
def test_a_short_name_is_what_a_reader_recognises(name, short):
    assert short_name(name) == short
