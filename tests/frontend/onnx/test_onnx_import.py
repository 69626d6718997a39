"""ONNX models against ONNX Runtime, and what reading makes of them."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, external_data_helper, helper
from onnx_models import (
    IMAGE,
    NETWORKS,
    model,
    node,
    normalization,
    normalize,
    pytorch_classifier,
    spread,
    tf2onnx_classifier,
    tf2onnx_rows,
)
from onnx_single import IMAGE_OPERATORS, single

from tinyml.data.dataset import quantize_samples
from tinyml.errors import InputError, ModelError, TinymlError
from tinyml.evaluate.oracle import run_float
from tinyml.frontend.load import load_model
from tinyml.frontend.onnx.decompose import DECOMPOSED
from tinyml.frontend.onnx.read import read_onnx
from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.registry import operators_by_onnx_type
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.fully_connected import FullyConnected

SAMPLES = 4


def read(model: onnx.ModelProto) -> Graph:
    return read_onnx(model.SerializeToString(), "m")


def samples_of(graph: Graph) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    shapes = [(SAMPLES, *graph.tensor(name).shape) for name in graph.inputs]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def run_onnx(
    model: onnx.ModelProto, names: Sequence[str], samples: Sequence[np.ndarray]
) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    inputs = [info.name for info in session.get_inputs()]
    rows = [
        session.run(list(names), dict(zip(inputs, sample, strict=True)))
        for sample in zip(*samples, strict=True)
    ]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def assert_agrees(model: onnx.ModelProto) -> Graph:
    """The same arrays in, the same arrays out, to 1e-4."""
    graph = read(model)
    samples = samples_of(graph)
    expected = run_onnx(model, graph.outputs, samples)
    for ours, theirs in zip(run_float(graph, samples), expected, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    return graph


def kinds(graph: Graph) -> Counter[str]:
    return Counter(type(op).__name__ for op in graph.ops)


# --------------------------------------------------------------------------- networks, operators


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_what_onnx_runtime_gives(name):
    assert_agrees(NETWORKS[name]())


@pytest.mark.parametrize("name", IMAGE_OPERATORS)
def test_an_operator_gives_what_onnx_runtime_gives(name):
    assert_agrees(single(name))


def test_normalization_and_activations_disappear_in_the_layers_before_them():
    assert kinds(read(pytorch_classifier())) == {
        "Transpose": 1,
        "Conv2D": 1,
        "DepthwiseConv2D": 1,
        "Add": 1,
        "MirrorPad": 1,
        "MaxPool2D": 1,
        "Reshape": 1,
        "FullyConnected": 1,
    }


def test_fused_activations_are_those_of_the_model():
    graph = read(pytorch_classifier())

    fused = [op.activation for op in graph.ops if hasattr(op, "activation")]

    relu, relu6, none = Activation.RELU, Activation.RELU6, Activation.NONE
    assert fused == [relu, relu6, relu, none, none]


def test_an_activation_whose_input_is_read_elsewhere_stays():
    nodes = [node("Conv", "x w", "c"), node("Relu", "c", "r"), node("Add", "c r", "y")]

    graph = assert_agrees(model(nodes, IMAGE, "y", {"w": spread(4, 3, 3, 3)}))

    assert kinds(graph)["Relu"] == 1


def test_a_normalization_of_what_is_read_elsewhere_stays():
    nodes = [node("Conv", "x w", "c"), normalize("c", "n", "bn"), node("Add", "c n", "y")]
    constants = {"w": spread(4, 3, 3, 3), **normalization("bn", 4)}

    graph = assert_agrees(model(nodes, IMAGE, "y", constants))

    assert kinds(graph)["DepthwiseConv2D"] == 1


def test_weights_that_two_layers_share_are_folded_for_one_alone():
    nodes = [
        node("Conv", "x w", "c1", pads=[1, 1, 1, 1]),
        normalize("c1", "n1", "bn"),
        node("Conv", "n1 w", "y", pads=[1, 1, 1, 1]),
    ]
    constants = {"w": spread(3, 3, 3, 3), **normalization("bn", 3)}

    assert kinds(assert_agrees(model(nodes, IMAGE, "y", constants)))["Conv2D"] == 2


def test_identity_and_dropout_leave_no_operator():
    nodes = [node("Identity", "x", "a"), node("Dropout", "a", "b"), node("Relu", "b", "y")]

    assert kinds(read(model(nodes, {"x": (1, 4)}, "y"))) == {"Relu": 1}


def test_gelu_and_hard_swish_are_found_in_small_operators():
    constants = {"root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5)}
    nodes = [
        node("Div", "x root", "scaled"),
        node("Erf", "scaled", "error"),
        node("Add", "error one", "shifted"),
        node("Mul", "x shifted", "product"),
        node("Mul", "product half", "g"),
        node("HardSigmoid", "g", "ramp", alpha=1 / 6, beta=0.5),
        node("Mul", "g ramp", "y"),
    ]

    graph = assert_agrees(model(nodes, {"x": (1, 40)}, "y", constants))

    assert kinds(graph) == {"Gelu": 1, "HardSwish": 1}


def test_a_silu_is_no_hard_swish():
    nodes = [node("Sigmoid", "x", "s"), node("Mul", "x s", "y")]

    assert kinds(assert_agrees(model(nodes, {"x": (1, 40)}, "y"))) == {"Logistic": 1, "Mul": 1}


# --------------------------------------------------------------------------- layouts


def test_inputs_and_outputs_keep_the_onnx_models_own_shapes():
    nodes = [node("Conv", "x w", "y")]

    graph = read(model(nodes, IMAGE, "y", {"w": spread(4, 3, 3, 3)}))

    shapes = [graph.tensor(name).shape for name in ("x", "y")]
    assert shapes == [(1, 3, 9, 8), (1, 4, 7, 6)]
    assert kinds(graph) == {"Transpose": 2, "Conv2D": 1}


def test_an_input_of_one_channel_is_only_reshaped():
    nodes = [node("Conv", "x w", "c"), node("GlobalMaxPool", "c", "y")]

    graph = assert_agrees(model(nodes, {"x": (1, 1, 9, 8)}, "y", {"w": spread(4, 1, 3, 3)}))

    assert kinds(graph)["Transpose"] == 0


@pytest.mark.parametrize("make", [tf2onnx_classifier, tf2onnx_rows])
def test_transposes_around_convolutions_cancel(make):
    assert kinds(read(make()))["Transpose"] == 0


def test_operators_between_convolutions_work_on_images_as_stored():
    free = set(IMAGE_OPERATORS) - {
        *("expand", "flatten", "reshape", "transpose", "squeeze", "unsqueeze"),
        *("softmax of columns", "gather one channel", "reduce mean of columns"),
    }
    nodes = [node("Conv", "o last", "c"), node("GlobalMaxPool", "c", "y")]

    for name in sorted(free):
        one = single(name)
        graph = read(one)
        channels = graph.tensor("o").shape[1]
        if len(graph.tensor("o").shape) != 4 or name == "transpose to channels last":
            continue
        one.graph.node.extend(nodes)
        weights = onnx.numpy_helper.from_array(spread(2, channels, 1, 1), "last")
        one.graph.initializer.append(weights)
        one.graph.output[0].name = "y"
        assert kinds(read(one))["Transpose"] == 1, name


def test_flattened_images_are_taken_in_the_order_they_are_stored_in():
    graph = read(pytorch_classifier())
    (connected,) = [op for op in graph.ops if isinstance(op, FullyConnected)]

    weights = graph.tensor(connected.inputs[1]).constant

    original = spread(10, 8 * 5 * 4, seed=3)
    assert not np.array_equal(weights, original)
    assert np.array_equal(np.sort(weights), np.sort(original))


def test_a_residual_of_the_input_transposes_it_once():
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("Add", "x c", "a"),
        node("GlobalAveragePool", "a", "y"),
    ]

    graph = assert_agrees(model(nodes, IMAGE, "y", {"w": spread(3, 3, 3, 3)}))

    assert kinds(graph) == {"Transpose": 1, "Conv2D": 1, "Add": 1, "Mean": 1, "Reshape": 1}


def test_several_inputs_and_outputs_keep_their_names_and_order():
    nodes = [node("Add", "b a", "sum"), node("Relu", "sum", "r"), node("Transpose", "sum", "t")]
    inputs = {"b": (2, 3), "a": (2, 3)}

    graph = assert_agrees(model(nodes, inputs, "t r sum"))

    assert (graph.inputs, graph.outputs) == (("b", "a"), ("t", "r", "sum"))


def test_an_output_that_is_an_input_is_copied():
    graph = assert_agrees(model([node("Identity", "x", "y")], {"x": (1, 4)}, "y"))

    assert kinds(graph) == {"Reshape": 1}


# --------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("pads", "stride", "padding", "padded"),
    [
        ([0, 0, 0, 0], 1, Padding.VALID, 0),
        ([1, 1, 1, 1], 1, Padding.SAME, 0),
        ([1, 1, 1, 1], 2, Padding.VALID, 1),
        ([1, 0, 1, 1], 2, Padding.SAME, 0),
        ([0, 2, 1, 0], 1, Padding.VALID, 1),
    ],
)
def test_pads_become_a_scheme_where_they_are_one_and_a_pad_elsewhere(pads, stride, padding, padded):
    conv = node("Conv", "x w", "y", pads=pads, strides=[stride, stride])

    graph = assert_agrees(model([conv], IMAGE, "y", {"w": spread(4, 3, 3, 3)}))

    (op,) = [op for op in graph.ops if isinstance(op, Conv2D)]
    assert (op.padding, kinds(graph)["Pad"]) == (padding, padded)


def test_a_convolution_without_bias_gets_one_of_zeros():
    graph = read(model([node("Conv", "x w", "y")], IMAGE, "y", {"w": spread(4, 3, 3, 3)}))

    (op,) = [op for op in graph.ops if isinstance(op, Conv2D)]
    assert not graph.tensor(op.inputs[2]).constant.any()


# --------------------------------------------------------------------------- files


def test_the_page_on_onnx_lists_exactly_the_operators_that_are_read():
    page = (Path(__file__).parents[3] / "docs" / "onnx.md").read_text(encoding="utf-8")

    listed = set(re.findall(r"^\| (\w+) \|", page, re.M)) - {"ONNX"}

    assert listed == {*operators_by_onnx_type(), *DECOMPOSED}


def test_the_batch_may_be_open_and_becomes_one():
    graph = read(pytorch_classifier("batch"))

    assert graph.tensor("x").shape == (1, 3, 9, 8)


def test_an_open_height_is_refused_by_the_inputs_name():
    relu = model([node("Relu", "image", "y")], {"image": ("N", 3, "height", 8)}, "y")

    with pytest.raises(
        ModelError, match=r"input 'image' has the dynamic shape \(N, 3, height, 8\)"
    ):
        read(relu)


def test_an_old_opset_is_refused_with_advice():
    relu = model([node("Relu", "x", "y")], {"x": (1, 4)}, "y", opset=11)

    with pytest.raises(ModelError, match=r"is of ONNX opset 11, expected 13 .*opset_version=13"):
        read(relu)


def test_inputs_of_other_types_are_refused():
    relu = model([node("Relu", "x", "y")], {"x": (1, 4)}, "y", dtypes={"x": TensorProto.DOUBLE})

    with pytest.raises(ModelError, match="input 'x' has type DOUBLE, expected FLOAT or INT8"):
        read(relu)


def test_a_uint8_input_is_int8_that_takes_raw_uint8():
    scales = {"s": np.float32(1 / 255), "z": np.uint8(0), "zero": np.int8(-128)}
    nodes = [
        node("DequantizeLinear", "x s z", "real"),
        node("Relu", "real", "r"),
        node("QuantizeLinear", "r s zero", "y"),
    ]
    types = {"x": TensorProto.UINT8, "y": TensorProto.INT8}

    graph = read(model(nodes, {"x": (1, 4)}, "y", scales, dtypes=types))

    source = graph.tensor("x")
    assert (source.dtype, source.zero_point, source.unsigned) == (DType.INT8, -128, True)
    (samples,) = quantize_samples([np.array([[0, 1, 128, 255]], np.uint8)], [source])
    assert samples.tolist() == [[[-128, -127, 0, 127]]]


@pytest.mark.parametrize("dtype", ["UINT8", "INT8"])
def test_an_input_of_integers_that_is_cast_before_it_is_quantized_is_one_of_real_numbers(dtype):
    scales = {"s": np.float32(1 / 2), "z": np.int8(0)}
    nodes = [
        node("Cast", "x", "real", to=TensorProto.FLOAT),
        node("QuantizeLinear", "real s z", "q"),
        node("DequantizeLinear", "q s z", "d"),
        node("Relu", "d", "r"),
        node("QuantizeLinear", "r s z", "y"),
    ]
    types = {"x": getattr(TensorProto, dtype), "y": TensorProto.INT8}

    graph = read(model(nodes, {"x": (1, 4)}, "y", scales, dtypes=types))

    assert graph.tensor("x").dtype is DType.FLOAT32


def test_nodes_that_cannot_be_used_are_listed_all_at_once():
    nodes = [
        node("LSTM", "x w r", "l"),
        node("Relu", "l", "r1"),
        node("Einsum", "r1 r1", "e", equation="ij,ij->i"),
        node("IsNaN", "x", "c"),
        helper.make_node("Attention", ["c"], ["a"], domain="com.microsoft"),
    ]
    constants = {"w": spread(4), "r": spread(4)}

    with pytest.raises(ModelError) as refusal:
        read(model(nodes, {"x": (1, 4)}, "e a", constants))

    first, *lines = str(refusal.value).splitlines()
    assert first == "4 of the model's 5 nodes cannot be used:"
    starts = ("LSTM 'l'", "Einsum 'e'", "IsNaN 'c'", "com.microsoft.Attention 'a'")
    for place, start, line in zip((0, 2, 3, 4), starts, lines, strict=True):
        assert line.startswith(f"  node {place}: {start}: ")


def test_weights_computed_at_run_time_are_refused():
    with pytest.raises(ModelError, match="weights 'w' are computed at run time"):
        read(model([node("Conv", "x w", "y")], {**IMAGE, "w": (4, 3, 3, 3)}, "y"))


def test_numbers_that_are_not_finite_are_refused():
    add = model([node("Add", "x k", "y")], {"x": (1, 2)}, "y", {"k": [1.0, float("inf")]})

    with pytest.raises(ModelError, match="constant 'k' holds numbers that are not finite"):
        read(add)


def test_a_model_in_training_mode_is_refused():
    nodes = [node("Dropout", "x ratio mode", "y")]
    constants = {"ratio": np.float32(0.5), "mode": np.array([1], bool)}

    with pytest.raises(ModelError, match="is in training mode"):
        read(model(nodes, {"x": (1, 4)}, "y", constants))


def test_constants_too_large_for_any_device_are_refused():
    nodes = [node("ConstantOfShape", "s", "huge"), node("Add", "x huge", "y")]

    with pytest.raises(ModelError, match="makes a constant of more than"):
        read(model(nodes, {"x": (1, 1)}, "y", {"s": np.array([2**40])}))


@pytest.mark.parametrize("data", [b"", b"layers: 3\n", b"TFL3" * 9])
def test_what_is_no_onnx_model_is_refused(data):
    with pytest.raises(InputError, match="'m' is not an ONNX model"):
        read_onnx(data, "m")


def test_a_model_truncated_anywhere_is_refused_or_read():
    data = pytorch_classifier().SerializeToString()

    for length in range(0, len(data), 97):
        with pytest.raises(TinymlError):
            read_onnx(data[:length], "m")


def test_flipped_bits_are_read_or_refused_with_a_sentence():
    data = pytorch_classifier().SerializeToString()
    chance = np.random.default_rng(1)

    refusals = []
    for _ in range(200):
        damaged = bytearray(data)
        # Weights take most of the file; what is told about them comes first.
        place = chance.integers(chance.choice([600, len(data)]))
        damaged[place] ^= 1 << int(chance.integers(8))
        try:
            read_onnx(bytes(damaged), "m")
        except TinymlError as error:
            refusals.append(str(error))

    assert 20 < len(refusals) < 180
    assert all(refusals)


def save_with_external_weights(folder: Path) -> Path:
    large = pytorch_classifier()
    external_data_helper.convert_model_to_external_data(
        large, all_tensors_to_one_file=True, location="weights.bin", size_threshold=0
    )
    path = folder / "large.onnx"
    onnx.save(large, path)
    return path


def test_weights_beside_the_model_are_read(tmp_path):
    graph = load_model(save_with_external_weights(tmp_path))

    assert {n: t for n, t in graph.tensors.items() if t.is_constant} == {
        n: t for n, t in read(pytorch_classifier()).tensors.items() if t.is_constant
    }


def test_weights_that_are_missing_are_named(tmp_path):
    path = save_with_external_weights(tmp_path)
    (tmp_path / "weights.bin").unlink()

    with pytest.raises(InputError, match=r"large.onnx: .*weights 'w1' in the file 'weights.bin'"):
        load_model(path)


def test_weights_outside_the_models_folder_are_not_read(tmp_path):
    path = save_with_external_weights(tmp_path)
    (tmp_path / "inner").mkdir()
    moved = path.rename(tmp_path / "inner" / "large.onnx")
    data = moved.read_bytes().replace(b"weights.bin", b"../eights.b")
    moved.write_bytes(data)
    (tmp_path / "weights.bin").rename(tmp_path / "eights.b")

    with pytest.raises(InputError, match="which is not beside it"):
        load_model(moved)
