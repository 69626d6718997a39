"""A slice of the fuzzer's run, and what the full run has found."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from corpus import originals
from damage import damaged
from fuzz import fuzz, sanitize
from graphs import (
    activation,
    add,
    float_constant,
    fully_connected,
    make_graph,
    max_pool_2d,
    relu,
    small_int8,
)
from modules import module_of
from onnx_models import model, node, spread
from places import PLACES
from single_operator import cases_of
from stateful import echo

from tinyml.errors import InputError, ModelError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.frontend.onnx.read import read_onnx
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.lstm import HIDDEN_INTERMEDIATE
from tinyml.ops.reverse_v2 import ReverseV2
from tinyml.quantize.trial import quantize_on_trial

FILES = 600

LSTM_SCALES = {
    0.0: "has a scale that is not a positive number",
    float("nan"): "has a scale that is not a positive number",
    1e-40: "expected at least 1.17549",
}


def edited(graph: Graph, change: Callable[[Any], None]) -> bytes:
    """The graph's file after a change to its tables."""
    model = schema.ModelT.InitFromPackedBuf(write_tflite(graph), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def hidden_of(model: Any) -> Any:
    """The tensor by which a file says an LSTM's parameters of its hidden values."""
    subgraph = model.subgraphs[0]
    return subgraph.tensors[subgraph.operators[0].intermediates[HIDDEN_INTERMEDIATE]]


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


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_what_few_models_have_is_put_into_any(place):
    data = next(file.data for file in originals() if file.name == "small_int8")
    model = schema.ModelT.InitFromPackedBuf(data, 0)

    place(model, random.Random(1))  # noqa: S311  # reproducible, not secret

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    assert bytes(builder.Output()) != data


def test_files_that_converters_wrote_are_damaged_too():
    names = {file.name for file in originals()}

    assert {"tensorflow-2.13.1-lstm.int8", "onnxruntime-1.31.1-rows.qdq_int8"} <= names


@pytest.mark.parametrize("scale", LSTM_SCALES)
def test_the_scale_of_what_an_lstm_only_passes_through_is_checked(scale):
    def change(model):
        hidden_of(model).quantization.scale = np.array([scale], np.float32)

    with pytest.raises(ModelError, match=f"SEQUENCE_LSTM 'output': .* {LSTM_SCALES[scale]}"):
        read_tflite(edited(cases_of("lstm")[0].graph, change), "model")


def test_a_zero_point_of_hidden_values_that_is_no_int8_is_refused():
    (op,) = (graph := cases_of("lstm")[0].graph).ops
    hidden = replace(op.hidden, zero_point=(200,))

    with pytest.raises(ModelError, match=r"'output/hidden' has a zero point outside \[-128, 127\]"):
        verify_quantized(replace(graph, ops=(replace(op, hidden=hidden),)))


@pytest.mark.parametrize("clip", [float("nan"), -1.0])
def test_an_lstm_that_clips_at_no_number_is_refused(clip):
    def change(model):
        model.subgraphs[0].operators[0].builtinOptions.cellClip = clip

    with pytest.raises(ModelError, match=r"clips its cell at (nan|-1\.0), expected 0 or more"):
        read_tflite(edited(cases_of("lstm")[0].graph, change), "model")


def computed_bias(dtype: DType | None) -> Graph:
    """A FULLY_CONNECTED whose bias is an input of the model."""
    quant = None if dtype is None else QuantParams.per_tensor(0.25, 0)
    kinds = (DType.FLOAT32,) * 3 if dtype is None else (dtype, DType.INT8, PARAMETERS[dtype][1])
    tensors = [
        Tensor("x", (1, 3), kinds[0], quant),
        Tensor("w", (2, 3), kinds[1], quant, np.ones((2, 3), kinds[1].numpy)),
        Tensor("b", (2,), kinds[2], quant and QuantParams.per_tensor(0.0625, 0)),
        Tensor("y", (1, 2), kinds[0], quant),
    ]
    op = fully_connected("y", "x", "w", "b")
    return make_graph(tensors, [op], ["x", "b"], ["y"])


@pytest.mark.parametrize("dtype", [DType.INT8, DType.INT16])
def test_a_bias_that_is_computed_is_refused_on_the_device(dtype):
    with pytest.raises(ModelError, match="'b' is computed, expected constant weights"):
        module_of(computed_bias(dtype), "model", PORTABLE, cmsis_nn=5)


def test_a_bias_that_is_computed_is_refused_in_quantization():
    with pytest.raises(ModelError, match="bias 'b' is computed at run time, expected a constant"):
        quantize_on_trial(computed_bias(None))


def test_a_constant_of_no_dimensions_stays_an_array_when_it_is_computed_with():
    tensor = float_constant("c", 2.0)

    doubled = replace(tensor, data=tensor.constant * 2)

    assert isinstance(doubled.constant, np.ndarray)
    assert not doubled.constant.flags.writeable


def test_an_onnx_opset_beyond_32_bits_is_refused():
    model = onnx.load_from_string(write_onnx(small_int8()))
    model.opset_import[0].version = 2**40

    with pytest.raises(InputError, match=r"is of ONNX opset 1099511627776, which is none"):
        read_onnx(model.SerializeToString(), "model")


def test_a_convolution_of_no_groups_is_refused():
    nodes = [node("Conv", "x w", "y", group=0)]
    file = model(nodes, {"x": (1, 8, 6, 6)}, "y", {"w": spread(8, 8, 3, 3)})

    with pytest.raises(ModelError, match="0 groups do not fit 8 channels"):
        read_onnx(file.SerializeToString(), "model")


def test_running_once_what_no_options_name_is_a_damaged_model():
    def change(model):
        call = next(op for op in model.subgraphs[0].operators if op.builtinOptions)
        assert isinstance(call.builtinOptions, schema.CallOnceOptionsT)
        call.builtinOptions, call.builtinOptionsType = None, 0

    with pytest.raises(InputError, match=r"damaged TFLite model .* lacks its options, CallOnce"):
        read_tflite(edited(echo(), change), "model")


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
