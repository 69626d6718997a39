"""A slice of the fuzzer's run, and what the full run has found."""

from dataclasses import replace

import pytest
from corpus import originals
from damage import damaged
from fuzz import fuzz, sanitize
from graphs import activation, add, float_constant, make_graph, max_pool_2d, relu
from modules import module_of

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import QuantParams
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.reverse_v2 import ReverseV2

FILES = 600
SANITIZED = 12


def test_damaged_files_convert_or_are_refused_and_what_converts_runs_clean():
    summary = fuzz(range(FILES), originals())
    run = sanitize(summary, SANITIZED)

    assert summary.files == FILES
    assert not summary.failures, "\n".join(summary.lines())
    assert run.programs == SANITIZED
    assert not run.reports, "\n".join(run.lines())


def test_the_same_number_damages_a_file_the_same_way():
    original = originals()[0]

    assert damaged(original, 7) == damaged(original, 7)
    assert damaged(original, 7) != damaged(original, 8)


def test_an_addition_of_one_tensor_is_refused():
    tensors = [activation("x", (1, 4)), activation("y", (1, 4))]
    op = replace(add("y", "x", "x"), inputs=("x",))

    with pytest.raises(ModelError, match="ADD 'y': has 1 inputs, expected 2"):
        verify_quantized(make_graph(tensors, [op], ["x"], ["y"]))


def test_a_scale_of_a_float_tensor_in_a_file_means_nothing():
    plain = [activation(name, (1, 4), None) for name in "xy"]
    scaled = [replace(tensor, quant=QuantParams.per_tensor(0.5, 0)) for tensor in plain]
    graphs = [make_graph(tensors, [relu("y", "x")], ["x"], ["y"]) for tensors in (plain, scaled)]

    assert read_tflite(write_tflite(graphs[1]), "hand_made") == graphs[0]
    with pytest.raises(ModelError, match="'x' is float32 but has a scale, expected integers"):
        verify_quantized(graphs[1])


@pytest.mark.parametrize("last", [relu, max_pool_2d])
def test_a_float_operator_in_a_quantized_model_has_no_kernel(last):
    shapes = {relu: (1, 4), max_pool_2d: (1, 2, 2, 1)}
    result = (1, 4) if last is relu else (1, 1, 1, 1)
    tensors = [activation("x", shapes[last], None), activation("y", result, None)]

    with pytest.raises(ModelError, match="computes with floats"):
        module_of(
            make_graph(tensors, [last("y", "x")], ["x"], ["y"]), "model", PORTABLE, cmsis_nn=5
        )


def test_a_constant_is_no_output_of_a_device():
    tensors = [activation("x", (1, 4)), activation("y", (1, 4)), float_constant("c", [1.0])]
    graph = make_graph(tensors, [relu("y", "x")], ["x"], ["y", "c"])

    with pytest.raises(ModelError, match="'c' is an input or output of the model and a constant"):
        module_of(graph, "model", PORTABLE, cmsis_nn=5)


def test_an_arena_beyond_a_gibibyte_is_refused():
    tensors = [activation(name, (1, 2**15, 2**15, 2)) for name in "xy"]
    graph = make_graph(tensors, [relu("y", "x")], ["x"], ["y"])

    with pytest.raises(ModelError, match="take 2,147,483,648 bytes, expected at most 1,073,741,82"):
        module_of(graph, "model", PORTABLE, cmsis_nn=5)


def test_a_size_beyond_32_bits_has_no_form_as_a_tflite_file():
    tensors = [activation("x", (1, 2, 2, 1)), activation("y", (1, 1, 1, 1))]
    graph = make_graph(tensors, [max_pool_2d("y", "x", stride=(2**40, 1))], ["x"], ["y"])

    with pytest.raises(ModelError, match=r"no form as a \.tflite file, whose sizes have 32 bits"):
        write_tflite(graph)


def test_a_tensor_of_terabytes_is_refused():
    tensors = [activation(name, (2**40, 6)) for name in "xy"]

    with pytest.raises(ModelError, match=r"'x' \(1099511627776, 6\) takes 6,597,069,766,656 bytes"):
        verify_quantized(make_graph(tensors, [relu("y", "x")], ["x"], ["y"]))


def test_a_scale_whose_reciprocal_overflows_is_refused():
    tensors = [activation("x", (1, 4)), activation("y", (1, 4), 2.0**-130)]

    with pytest.raises(ModelError, match=r"'y' has the scale 7\.34683969e-40, expected at least 1"):
        verify_quantized(make_graph(tensors, [relu("y", "x")], ["x"], ["y"]))


def test_reversing_along_the_same_axis_twice_is_refused():
    op = ReverseV2(name="y", inputs=("x",), outputs=("y",), axes=(1, 1))
    tensors = [activation(name, (1, 4)) for name in "xy"]

    with pytest.raises(ModelError, match=r"axes \(1, 1\) do not fit an input of shape \(1, 4\)"):
        verify_quantized(make_graph(tensors, [op], ["x"], ["y"]))
