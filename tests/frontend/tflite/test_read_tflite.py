"""Reading of sound files is tested with writing; here, files that are damaged or ask too much."""

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from graphs import (
    CONVERTER_NAME,
    activation,
    add,
    branches_int8,
    make_graph,
    relu,
    small_float,
    small_int8,
)

from tinyml.errors import InputError, ModelError, TinymlError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph, is_quantized


def patched(graph: Graph, change: Callable[[Any], object]) -> bytes:
    """The graph's file after ``change`` has been at its tables; nothing checks them."""
    model = schema.ModelT.InitFromPackedBuf(write_tflite(graph), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def rename(model: Any, **names: str | None) -> None:
    for tensor in model.subgraphs[0].tensors:
        new = names.get(tensor.name.decode(), tensor.name)
        tensor.name = new.encode() if isinstance(new, str) else new


def table(model: Any, name: str) -> Any:
    return next(t for t in model.subgraphs[0].tensors if t.name == name.encode())


def chain() -> Graph:
    """x -> y -> z."""
    tensors = [activation(name, (1, 4)) for name in "xyz"]
    return make_graph(tensors, [relu("y", "x"), add("z", "y", "x")], ["x"], ["z"])


# --------------------------------------------------------------------------- no model at all


@pytest.mark.parametrize(
    "data", [b"", b"TFL3", b"layers: 3\nneurons: 7\n", b"\x89HDF\r\n\x1a\n" + bytes(64)]
)
def test_a_file_without_the_identifier_is_no_model(data):
    with pytest.raises(InputError, match=r"'m' is not a TFLite model: .* identifier 'TFL3'"):
        read_tflite(data, "m")


def test_an_identifier_with_nothing_behind_it_is_a_damaged_model():
    with pytest.raises(InputError, match=r"'m' is a damaged TFLite model .*export it again"):
        read_tflite(b"\xff\xff\xff\x7fTFL3", "m")


def test_a_model_truncated_anywhere_is_refused():
    data = write_tflite(small_int8())

    for length in range(0, len(data), 61):
        with pytest.raises(TinymlError):
            read_tflite(data[:length], "m")


@pytest.mark.parametrize("make", [small_int8, small_float, branches_int8])
def test_flipped_bits_are_read_or_refused_with_a_sentence(make):
    data = write_tflite(make())
    chance = np.random.default_rng(1)

    refusals = []
    for _ in range(250):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 1, 2, 8])):
            damaged[chance.integers(len(damaged))] ^= 1 << int(chance.integers(8))
        try:
            read_tflite(bytes(damaged), "m")
        except TinymlError as error:
            refusals.append(str(error))

    assert 20 < len(refusals) < 230
    assert all(refusals)


# --------------------------------------------------------------------------- operators


def test_unsupported_operators_are_all_listed_with_their_place_and_name():
    def change(model):
        codes = model.operatorCodes
        codes[1].builtinCode = schema.BuiltinOperator.UNIQUE
        codes[2].builtinCode = schema.BuiltinOperator.CUSTOM
        codes[2].customCode = b"MyLayer"
        codes[3].builtinCode = 4000

    with pytest.raises(ModelError) as refusal:
        read_tflite(patched(small_int8(), change), "m")

    lines = str(refusal.value).splitlines()
    assert lines[0] == "3 of the model's 9 operators cannot be used:"
    assert lines[1].startswith(f"  operator 1: UNIQUE '{CONVERTER_NAME}' is not supported")
    assert lines[2].startswith("  operator 2: CUSTOM MyLayer 'small/depthwise' is not supported")
    assert lines[3].startswith("  operator 3: UNKNOWN 'sum' is not supported")
    assert len(lines) == 4


def test_operators_of_one_cause_are_said_once():
    def change(model):
        for code in model.operatorCodes:
            code.builtinCode = schema.BuiltinOperator.UNIQUE

    with pytest.raises(ModelError) as refusal:
        read_tflite(patched(chain(), change), "m")

    assert str(refusal.value).splitlines() == [
        "2 of the model's 2 operators cannot be used:",
        "  operator 0: UNIQUE 'y' is not supported ('tinyml ops' lists all); likewise 'z'",
    ]


def test_unsupported_variants_are_listed_beside_unsupported_operators():
    def change(model):
        tanh = schema.ActivationFunctionType.TANH
        model.subgraphs[0].operators[1].builtinOptions.fusedActivationFunction = tanh
        model.operatorCodes[-1].builtinCode = schema.BuiltinOperator.SKIP_GRAM

    with pytest.raises(ModelError) as refusal:
        read_tflite(patched(small_int8(), change), "m")

    lines = str(refusal.value).splitlines()
    assert "operator 1: CONV_2D" in lines[1]
    assert "fused activation 4 is not supported" in lines[1]
    assert "operator 8: SKIP_GRAM 'probabilities'" in lines[2]


def test_codes_of_files_from_before_the_field_was_widened_are_read():
    def change(model):
        for code in model.operatorCodes:
            code.builtinCode = 0

    assert read_tflite(patched(small_int8(), change), "small") == small_int8()


def test_an_operator_code_that_does_not_exist_is_refused_with_the_operators_place():
    def change(model):
        model.subgraphs[0].operators[4].opcodeIndex = 77

    with pytest.raises(InputError, match="operator 4 refers to operator code 77, the model has 9"):
        read_tflite(patched(small_int8(), change), "m")


@pytest.mark.parametrize("index", [99, -2])
@pytest.mark.parametrize("end", ["inputs", "outputs"])
def test_an_operators_tensor_that_does_not_exist_is_refused(end, index):
    def change(model):
        setattr(model.subgraphs[0].operators[0], end, np.array([index], np.int32))

    with pytest.raises(InputError, match=f"operator 0 refers to tensor {index}, the model has"):
        read_tflite(patched(chain(), change), "m")


@pytest.mark.parametrize("index", [99, -1])
@pytest.mark.parametrize("end", ["inputs", "outputs"])
def test_a_models_input_or_output_that_does_not_exist_is_refused(end, index):
    def change(model):
        setattr(model.subgraphs[0], end, np.array([index], np.int32))

    with pytest.raises(InputError, match=f"an {end[:-1]} refers to tensor {index}, the model has"):
        read_tflite(patched(chain(), change), "m")


@pytest.mark.parametrize("end", ["inputs", "outputs"])
def test_an_operator_without_tensors_is_refused(end):
    def change(model):
        setattr(model.subgraphs[0].operators[1], end, np.zeros(0, np.int32))

    with pytest.raises(TinymlError):
        read_tflite(patched(small_int8(), change), "m")


def test_an_operator_without_its_options_is_refused():
    def change(model):
        model.subgraphs[0].operators[1].builtinOptions = None
        model.subgraphs[0].operators[1].builtinOptionsType = 0

    with pytest.raises(InputError, match=r"damaged TFLite model .*'strideH'"):
        read_tflite(patched(small_int8(), change), "m")


def test_a_cycle_is_refused():
    def change(model):
        model.subgraphs[0].operators[0].inputs = np.array([2], np.int32)

    with pytest.raises(ModelError, match="without cycles"):
        read_tflite(patched(chain(), change), "m")


def test_operators_out_of_order_are_refused():
    def change(model):
        model.subgraphs[0].operators.reverse()

    with pytest.raises(ModelError, match="execution order"):
        read_tflite(patched(chain(), change), "m")


@pytest.mark.parametrize("count", [0, 2])
def test_anything_but_one_subgraph_is_refused(count):
    def change(model):
        model.subgraphs = model.subgraphs * count

    with pytest.raises(ModelError, match=f"'m' has {count} subgraphs, expected 1"):
        read_tflite(patched(chain(), change), "m")


# --------------------------------------------------------------------------- tensors


def test_an_open_batch_is_read_as_one_sample():
    def change(model):
        table(model, "x").shapeSignature = np.array([-1, 4], np.int32)

    assert read_tflite(patched(chain(), change), "hand_made") == chain()


def test_any_other_dynamic_dimension_is_refused_with_the_shape():
    def change(model):
        table(model, "image").shapeSignature = np.array([-1, -1, 6, 2], np.int32)

    with pytest.raises(ModelError, match=r"'image' has the dynamic shape \(\?, \?, 6, 2\)"):
        read_tflite(patched(small_int8(), change), "m")


def test_a_negative_size_is_refused():
    def change(model):
        table(model, "x").shape = np.array([1, -1], np.int32)

    with pytest.raises(ModelError, match=r"'x' has the dynamic shape \(1, -1\)"):
        read_tflite(patched(chain(), change), "m")


def test_tensors_without_a_name_are_numbered():
    graph = read_tflite(patched(chain(), lambda model: rename(model, x=None, y="")), "m")

    assert list(graph.tensors) == ["tensor_0", "tensor_1", "z"]


def test_tensors_of_one_name_are_told_apart():
    graph = read_tflite(patched(chain(), lambda model: rename(model, x="t", y="t", z="t")), "m")

    assert list(graph.tensors) == ["t", "t#1", "t#2"]
    assert [op.inputs for op in graph.ops] == [("t",), ("t#1", "t")]


def test_a_name_made_up_for_a_duplicate_does_not_collide_with_a_real_one():
    graph = read_tflite(patched(chain(), lambda model: rename(model, x="t#2", y="t", z="t")), "m")

    assert list(graph.tensors) == ["t#2", "t", "t#2#2"]


def test_a_name_that_is_not_utf_8_is_read():
    def change(model):
        table(model, "x").name = b"caf\xe9"

    assert list(read_tflite(patched(chain(), change), "m").tensors)[0] == "caf�"  # noqa: RUF015


def test_a_buffer_that_does_not_exist_is_refused():
    def change(model):
        table(model, "fc/w").buffer = 500

    with pytest.raises(InputError, match="'fc/w' refers to buffer 500, which does not exist"):
        read_tflite(patched(small_int8(), change), "m")


def test_a_model_without_buffers_is_refused():
    def change(model):
        model.buffers = None

    with pytest.raises(InputError, match="refers to buffer 0, which does not exist"):
        read_tflite(patched(chain(), change), "m")


def test_a_constant_whose_bytes_are_missing_is_refused():
    def change(model):
        model.buffers[table(model, "fc/w").buffer].data = None

    with pytest.raises(ModelError, match="'fc/w'"):
        read_tflite(patched(small_int8(), change), "m")


@pytest.mark.parametrize("size", [11, 13, 1200])
def test_a_constant_of_the_wrong_size_is_refused(size):
    def change(model):
        model.buffers[table(model, "fc/w").buffer].data = np.zeros(size, np.uint8)

    with pytest.raises(InputError, match=rf"'fc/w' int8 \(3, 4\) needs 12 bytes, .* has {size}"):
        read_tflite(patched(small_int8(), change), "m")


def test_a_type_that_is_not_supported_is_named():
    def change(model):
        table(model, "x").type = schema.TensorType.FLOAT64

    with pytest.raises(ModelError, match="tensor 'x' has type FLOAT64, expected one of float32"):
        read_tflite(patched(chain(), change), "m")


def test_a_sparse_constant_is_refused():
    def change(model):
        table(model, "fc/w").sparsity = schema.SparsityParametersT()

    with pytest.raises(ModelError, match="'fc/w' is sparse"):
        read_tflite(patched(small_int8(), change), "m")


def test_scales_without_zero_points_have_zero_points_of_zero():
    def change(model):
        table(model, "fc/w").quantization.zeroPoint = None

    assert read_tflite(patched(small_int8(), change), "small") == small_int8()


@pytest.mark.parametrize("dimension", [3, -1])
def test_a_bias_of_2019_with_the_quantized_dimension_of_its_weights_is_read(dimension):
    def change(model):
        table(model, "dw/b").quantization.quantizedDimension = dimension

    graph = small_int8()
    assert len(graph.tensor("dw/b").quant.scale) == 4
    assert read_tflite(patched(graph, change), "small") == graph


def test_a_scale_that_is_no_number_is_refused():
    def change(model):
        table(model, "sum").quantization.scale = np.array([np.nan], np.float32)

    with pytest.raises(ModelError, match="'sum' has a scale that is not a positive number"):
        read_tflite(patched(small_int8(), change), "m")


def test_a_declared_shape_that_is_not_what_the_operator_gives_is_refused():
    def change(model):
        table(model, "pooled").shape = np.array([1, 3, 3, 5], np.int32)

    with pytest.raises(ModelError, match=r"'pooled' int8 \(1, 3, 3, 4\), but the model declares"):
        read_tflite(patched(small_int8(), change), "m")


def test_tensors_nothing_refers_to_are_left_out():
    graph = small_int8().with_tensors(activation("stray", (1, 2)))

    assert read_tflite(write_tflite(graph), "small") == small_int8()


def test_a_model_is_quantized_where_an_activation_has_a_scale():
    assert is_quantized(small_int8())
    assert is_quantized(branches_int8())
    assert not is_quantized(small_float())
