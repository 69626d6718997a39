"""ONNX files against onnx's checker and, number for number, ONNX Runtime against TFLite's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper
from references import reference_of

from tinyml import __version__
from tinyml.errors import ModelError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.add import Add
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Padding, Pair
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.max_pool_2d import MaxPool2D
from tinyml.ops.mean import Mean
from tinyml.ops.pad import Pad
from tinyml.ops.quantize import Quantize
from tinyml.ops.relu import Relu
from tinyml.ops.reshape import Reshape
from tinyml.ops.softmax import Softmax
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite

SAMPLES = 16
NONE, RELU, RELU6 = Activation.NONE, Activation.RELU, Activation.RELU6
SAME, VALID = Padding.SAME, Padding.VALID


# --------------------------------------------------------------------------- graphs


def make_graph(
    inputs: Mapping[str, Shape], constants: Mapping[str, Shape], *ops: Operator
) -> Graph:
    """A float graph with random constants; the shapes of what the operators write are inferred."""
    rng = np.random.default_rng(1)
    tensors = {name: Tensor(name, shape, DType.FLOAT32) for name, shape in inputs.items()}
    for name, shape in constants.items():
        data = rng.normal(size=shape).astype(np.float32)
        tensors[name] = Tensor(name, shape, DType.FLOAT32, data=data)
    for op in ops:
        specs = op.infer(Graph("test", tensors, (), (), ()))
        for name, spec in zip(op.outputs, specs, strict=True):
            tensors[name] = Tensor(name, spec.shape, spec.dtype)
    return Graph("test", tensors, ops, tuple(inputs), ops[-1].outputs)


def conv(
    source: str,
    output: str,
    weights: str = "w",
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    padding: Padding = SAME,
    activation: Activation = NONE,
) -> Conv2D:
    return Conv2D(
        name=output,
        inputs=(source, weights, "b"),
        outputs=(output,),
        stride=stride,
        dilation=dilation,
        padding=padding,
        activation=activation,
    )


def depthwise(multiplier: int, stride: Pair = (1, 1), dilation: Pair = (1, 1)) -> DepthwiseConv2D:
    return DepthwiseConv2D(
        name="y",
        inputs=("x", "w", "b"),
        outputs=("y",),
        stride=stride,
        dilation=dilation,
        padding=SAME,
        multiplier=multiplier,
        activation=RELU6,
    )


def dense(inputs: tuple[str, ...], activation: Activation, *, keep: bool) -> FullyConnected:
    return FullyConnected(
        name="y", inputs=inputs, outputs=("y",), keep_num_dims=keep, activation=activation
    )


def pool(
    kind: type[AveragePool2D | MaxPool2D],
    size: Pair,
    stride: Pair,
    padding: Padding,
    source: str = "x",
    output: str = "y",
    activation: Activation = NONE,
) -> AveragePool2D | MaxPool2D:
    return kind(
        name=output,
        inputs=(source,),
        outputs=(output,),
        size=size,
        stride=stride,
        padding=padding,
        activation=activation,
    )


def add(first: str, second: str, output: str, activation: Activation = NONE) -> Add:
    return Add(name=output, inputs=(first, second), outputs=(output,), activation=activation)


def reshape(source: str, output: str, shape: Shape) -> Reshape:
    return Reshape(name=output, inputs=(source,), outputs=(output,), shape=shape)


def mean(axes: tuple[int, ...], *, keep: bool, source: str = "x", output: str = "y") -> Mean:
    return Mean(name=output, inputs=(source,), outputs=(output,), axes=axes, keep_dims=keep)


def concatenation(inputs: tuple[str, ...], axis: int, output: str = "y") -> Concatenation:
    return Concatenation(name=output, inputs=inputs, outputs=(output,), axis=axis)


def softmax(beta: float) -> Softmax:
    return Softmax(name="y", inputs=("x",), outputs=("y",), beta=beta)


def relu(activation: Activation, source: str = "x", output: str = "y") -> Relu:
    return Relu(name=output, inputs=(source,), outputs=(output,), activation=activation)


def pad(paddings: tuple[Pair, ...], source: str = "x", output: str = "y") -> Pad:
    return Pad(name=output, inputs=(source,), outputs=(output,), paddings=paddings)


IMAGE = {"x": (1, 7, 6, 3)}
TWO_IMAGES = {"x": (1, 5, 4, 3), "z": (1, 5, 4, 3)}
KERNEL = {"w": (4, 3, 3, 3), "b": (4,)}

GRAPHS = {
    "conv": make_graph(IMAGE, KERNEL, conv("x", "y")),
    "conv with relu": make_graph(IMAGE, KERNEL, conv("x", "y", activation=RELU)),
    "conv with relu6": make_graph(IMAGE, KERNEL, conv("x", "y", activation=RELU6)),
    "conv with clip": make_graph(IMAGE, KERNEL, conv("x", "y", activation=Activation.RELU_N1_TO_1)),
    "conv with odd padding": make_graph({"x": (1, 8, 6, 3)}, KERNEL, conv("x", "y", stride=(2, 2))),
    "conv with uneven strides": make_graph(
        {"x": (1, 9, 7, 3)}, {"w": (4, 2, 4, 3), "b": (4,)}, conv("x", "y", stride=(1, 3))
    ),
    "conv dilated": make_graph(IMAGE, KERNEL, conv("x", "y", dilation=(2, 1), padding=VALID)),
    "conv pointwise strided": make_graph(
        IMAGE, {"w": (4, 1, 1, 3), "b": (4,)}, conv("x", "y", stride=(2, 3))
    ),
    "conv to one channel": make_graph(
        IMAGE, {"w": (1, 3, 3, 3), "b": (1,)}, conv("x", "y", padding=VALID)
    ),
    "depthwise": make_graph(IMAGE, {"w": (1, 3, 3, 3), "b": (3,)}, depthwise(1)),
    "depthwise with multiplier": make_graph(
        IMAGE, {"w": (1, 3, 2, 6), "b": (6,)}, depthwise(2, stride=(2, 2))
    ),
    "depthwise dilated": make_graph(
        IMAGE, {"w": (1, 3, 3, 3), "b": (3,)}, depthwise(1, dilation=(2, 2))
    ),
    "dense": make_graph(
        {"x": (1, 12)}, {"w": (5, 12), "b": (5,)}, dense(("x", "w", "b"), NONE, keep=False)
    ),
    "dense without bias": make_graph(
        {"x": (1, 12)}, {"w": (5, 12)}, dense(("x", "w"), RELU, keep=False)
    ),
    "dense over an image": make_graph(
        {"x": (1, 2, 3, 4)}, {"w": (5, 24), "b": (5,)}, dense(("x", "w", "b"), RELU, keep=False)
    ),
    "dense over rows": make_graph(
        {"x": (1, 6, 4)}, {"w": (5, 4), "b": (5,)}, dense(("x", "w", "b"), RELU6, keep=True)
    ),
    "add": make_graph(TWO_IMAGES, {}, add("x", "z", "y")),
    "add with relu6": make_graph(TWO_IMAGES, {}, add("x", "z", "y", RELU6)),
    "add of a constant": make_graph({"x": (1, 9)}, {"k": (1, 9)}, add("x", "k", "y")),
    "average pool without its padding": make_graph(
        IMAGE, {}, pool(AveragePool2D, (3, 3), (2, 2), SAME)
    ),
    "average pool with relu": make_graph(
        IMAGE, {}, pool(AveragePool2D, (2, 3), (1, 2), VALID, activation=RELU)
    ),
    "max pool": make_graph(IMAGE, {}, pool(MaxPool2D, (2, 2), (2, 2), VALID)),
    "max pool with odd padding": make_graph(IMAGE, {}, pool(MaxPool2D, (3, 2), (2, 1), SAME)),
    "global mean": make_graph(IMAGE, {}, mean((1, 2), keep=False)),
    "global mean kept": make_graph(IMAGE, {}, mean((1, 2), keep=True)),
    "mean over height": make_graph(IMAGE, {}, mean((1,), keep=False)),
    "mean over channels": make_graph(IMAGE, {}, mean((3,), keep=False)),
    "mean of rows": make_graph({"x": (1, 5, 4)}, {}, mean((2,), keep=False)),
    "pad image": make_graph(IMAGE, {}, pad(((0, 0), (1, 2), (0, 3), (1, 0)))),
    "pad rows": make_graph({"x": (1, 5, 4)}, {}, pad(((0, 0), (1, 2), (3, 0)))),
    "reshape": make_graph(IMAGE, {}, reshape("x", "y", (1, 126))),
    "softmax": make_graph({"x": (1, 10)}, {}, softmax(1.0)),
    "softmax with beta": make_graph({"x": (1, 10)}, {}, softmax(0.7)),
    "relu": make_graph(IMAGE, {}, relu(RELU)),
    "relu6": make_graph({"x": (1, 9)}, {}, relu(RELU6)),
    "concatenation of channels": make_graph(TWO_IMAGES, {}, concatenation(("x", "z"), 3)),
    "concatenation of rows": make_graph(TWO_IMAGES, {}, concatenation(("z", "x"), 1)),
}


# Every tensor of 4 dimensions between the first convolution and the pool exists as NCHW.
CHAIN = make_graph(
    {"x": (1, 8, 8, 3)},
    {"w": (3, 3, 3, 3), "b": (3,), "w2": (3, 3, 3, 3)},
    conv("x", "c1", activation=RELU),
    relu(RELU6, "c1", "r1"),
    add("c1", "r1", "a1"),
    conv("a1", "c2", "w2"),
    pool(MaxPool2D, (2, 2), (2, 2), VALID, "c2", "p"),
    reshape("p", "y", (1, 48)),
)


# --------------------------------------------------------------------------- running


def quantized(graph: Graph) -> Graph:
    table = calibrate(graph, samples_of(graph), MinMax)
    return quantize_graph(graph, table, Scheme())


def samples_of(graph: Graph) -> list[Array]:
    """(SAMPLES, *input shape) for each input: normal floats, or all of int8."""
    rng = np.random.default_rng(2)
    samples: list[Array] = []
    for tensor in map(graph.tensor, graph.inputs):
        shape = (SAMPLES, *tensor.shape)
        if tensor.dtype is DType.INT8:
            samples.append(rng.integers(-128, 128, shape).astype(np.int8))
        else:
            samples.append((2 * rng.normal(size=shape)).astype(np.float32))
    return samples


def checked(graph: Graph) -> onnx.ModelProto:
    """The model, after all that onnx can find wrong with it."""
    model = onnx.load_from_string(write_onnx(graph))
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def options_of(*, optimize: bool) -> ort.SessionOptions:
    """The nodes as they stand, or what ONNX Runtime makes of them."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimize else level.ORT_DISABLE_ALL
    # Where x86 lacks VNNI, pairs of products saturate at 16 bits unless asked not to.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def run_onnx(graph: Graph, samples: list[Array], *, optimize: bool = True) -> list[Array]:
    session = ort.InferenceSession(
        checked(graph).SerializeToString(),
        options_of(optimize=optimize),
        providers=["CPUExecutionProvider"],
    )
    rows = [
        session.run(list(graph.outputs), dict(zip(graph.inputs, sample, strict=True)))
        for sample in zip(*samples, strict=True)
    ]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def assert_agrees(graph: Graph, *, steps: int = 0, optimize: bool = True) -> None:
    """Floats agree closely, integers up to so many steps of their scale."""
    samples = samples_of(graph)
    expected = run_tflite(write_tflite(graph), samples, reference_of(graph))
    got = run_onnx(graph, samples, optimize=optimize)
    for name, ours, theirs in zip(graph.outputs, got, expected, strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        if graph.tensor(name).dtype is DType.INT8:
            assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= steps
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def counts(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def constants_of(model: onnx.ModelProto) -> dict[str, Array]:
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}


# --------------------------------------------------------------------------- operators


@pytest.mark.parametrize("name", GRAPHS)
def test_a_float_operator_gives_what_tflite_gives(name: str) -> None:
    assert_agrees(GRAPHS[name])


@pytest.mark.parametrize("optimize", [False, True], ids=["as it stands", "optimized"])
@pytest.mark.parametrize("name", GRAPHS)
def test_an_int8_operator_is_at_most_one_step_from_tflite(name: str, *, optimize: bool) -> None:
    assert_agrees(quantized(GRAPHS[name]), steps=1, optimize=optimize)


@pytest.mark.parametrize(
    "name", ["reshape", "max pool", "max pool with odd padding", "pad image", "pad rows"]
)
def test_an_int8_operator_that_moves_values_gives_the_same_bytes(name: str) -> None:
    assert_agrees(quantized(GRAPHS[name]))


def test_int8_concatenation_gives_the_same_bytes() -> None:
    assert_agrees(quantized(GRAPHS["concatenation of channels"]))


# --------------------------------------------------------------------------- layouts


def test_a_chain_of_image_operators_is_transposed_at_its_ends_only() -> None:
    assert counts(checked(CHAIN))["Transpose"] == 2
    assert_agrees(CHAIN)


def test_an_int8_chain_is_transposed_at_its_ends_only_and_as_int8() -> None:
    model = checked(quantized(CHAIN))
    transposes = [node for node in model.graph.node if node.op_type == "Transpose"]
    assert [node.input[0] for node in transposes] == ["x", "p/nchw"]
    assert_agrees(quantized(CHAIN), steps=2)


def test_a_tensor_is_transposed_once_for_all_its_readers() -> None:
    graph = make_graph(
        IMAGE,
        KERNEL,
        conv("x", "c1"),
        conv("x", "c2", stride=(2, 2)),
        reshape("c1", "flat1", (1, 168)),
        reshape("c1", "flat2", (168, 1)),
    )
    graph = replace(graph, outputs=("c1", "c2", "flat1", "flat2"))
    transposed = [n.input[0] for n in checked(graph).graph.node if n.op_type == "Transpose"]
    assert transposed == ["x", "c1/nchw", "c2/nchw"]
    assert_agrees(graph)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_concatenation_stays_in_nchw_along_the_axis_meant(axis: int) -> None:
    graph = make_graph(
        {"x": (1, 6, 6, 3)},
        {"w": (3, 3, 3, 3), "b": (3,)},
        conv("x", "c1"),
        conv("x", "c2", activation=RELU),
        concatenation(("c1", "c2"), axis, "joined"),
        pool(MaxPool2D, (2, 2), (2, 2), VALID, "joined"),
    )
    assert counts(checked(graph))["Transpose"] == 2
    assert_agrees(graph)


@pytest.mark.parametrize("keep", [False, True])
def test_a_global_mean_after_a_convolution_needs_no_transpose_before_it(*, keep: bool) -> None:
    graph = make_graph(
        IMAGE, KERNEL, conv("x", "c"), mean((1, 2), keep=keep, source="c", output="y")
    )
    assert counts(checked(graph))["Transpose"] == (2 if keep else 1)
    assert_agrees(graph)
    assert_agrees(quantized(graph), steps=1)


def test_padding_before_a_convolution_shares_its_transpose() -> None:
    paddings = ((0, 0), (1, 0), (2, 1), (0, 0))
    graph = make_graph(
        IMAGE, KERNEL, pad(paddings, "x", "p"), conv("p", "y", stride=(2, 2), padding=VALID)
    )
    assert counts(checked(graph))["Transpose"] == 2
    assert_agrees(graph)


def test_a_constant_image_is_turned_to_nchw_at_build_time() -> None:
    constants = {**KERNEL, "k": (1, 7, 6, 4)}
    graph = make_graph(IMAGE, constants, conv("x", "c"), add("k", "c", "y"))
    assert counts(checked(graph))["Transpose"] == 2
    assert_agrees(graph)
    assert_agrees(quantized(graph), steps=2)


def test_images_in_different_layouts_meet_as_stored() -> None:
    graph = make_graph(
        {"x": (1, 4, 4, 3), "z": (1, 48)},
        {"w": (3, 3, 3, 3), "b": (3,)},
        conv("x", "c"),
        reshape("z", "image", (1, 4, 4, 3)),
        add("c", "image", "y"),
    )
    assert counts(checked(graph))["Transpose"] == 2
    assert_agrees(graph)


# --------------------------------------------------------------------------- quantization


@pytest.mark.parametrize("name", ["conv", "depthwise with multiplier"])
def test_weights_and_biases_keep_their_integers_and_scales_per_channel(name: str) -> None:
    graph = quantized(GRAPHS[name])
    model = checked(graph)
    constants, weights, bias = constants_of(model), graph.tensor("w"), graph.tensor("b")
    nodes = {node.input[0]: node for node in model.graph.node}
    assert weights.quant is not None
    assert bias.quant is not None
    assert [(a.name, a.i) for a in nodes["w"].attribute] == [("axis", 0)]
    assert [(a.name, a.i) for a in nodes["b"].attribute] == [("axis", 0)]
    assert len(constants["w"]) == len(weights.quant.scale) == len(constants["w/scale"])
    assert constants["w"].dtype == np.int8
    assert constants["b"].dtype == np.int32
    assert tuple(constants["w/scale"].tolist()) == weights.quant.scale
    assert tuple(constants["b/scale"].tolist()) == bias.quant.scale
    assert not constants["w/zero_point"].any()
    assert list(nodes["b"].input) == ["b", "b/scale"]


def test_a_dense_layer_may_have_weights_per_channel(tmp_path: Path) -> None:
    graph = quantized(GRAPHS["dense"])
    weights, bias = graph.tensor("w"), graph.tensor("b")
    scales = np.linspace(0.5, 2, 5) * weights.scale
    per_channel = QuantParams(tuple(scales), (0,) * 5, 0)
    sums = QuantParams(tuple(scales * graph.tensor("x").scale), (0,) * 5, 0)
    graph = graph.with_tensors(replace(weights, quant=per_channel), replace(bias, quant=sums))
    assert fused_types(graph, tmp_path / "optimized.onnx") == {"QGemm": 1}
    samples = samples_of(graph)
    plain, optimized = (
        run_onnx(graph, samples, optimize=optimize)[0] for optimize in (False, True)
    )
    assert np.abs(plain.astype(int) - optimized.astype(int)).max() <= 1


def test_inputs_and_outputs_are_the_same_int8_tensors_as_in_tflite() -> None:
    model = checked(quantized(CHAIN))
    for value, shape in (model.graph.input[0], [1, 8, 8, 3]), (model.graph.output[0], [1, 48]):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.INT8
        assert [d.dim_value for d in value.type.tensor_type.shape.dim] == shape
    assert [model.graph.input[0].name, model.graph.output[0].name] == ["x", "y"]


def test_onnx_runtime_fuses_a_whole_int8_chain_to_integer_kernels(tmp_path: Path) -> None:
    graph = make_graph(
        {"x": (1, 8, 8, 3)},
        {"w": (3, 3, 3, 3), "b": (3,), "v": (5, 48), "c": (5,)},
        conv("x", "c1", activation=RELU),
        conv("c1", "c2", activation=RELU),
        add("c1", "c2", "a"),
        pool(AveragePool2D, (2, 2), (2, 2), VALID, "a", "p"),
        replace(dense(("p", "v", "c"), NONE, keep=False), name="d", outputs=("d",)),
        replace(softmax(1.0), inputs=("d",)),
    )
    assert fused_types(quantized(graph), tmp_path / "optimized.onnx") == {
        "QLinearConv": 2,
        "QLinearAdd": 1,
        "QLinearAveragePool": 1,
        "Reshape": 1,
        "QGemm": 1,
        "QLinearSoftmax": 1,
    }


@pytest.mark.parametrize(
    ("name", "kernels"),
    [
        ("conv with relu6", {"QLinearConv": 1}),
        ("depthwise with multiplier", {"QLinearConv": 1}),
        ("dense over rows", {"QGemm": 1, "Reshape": 2}),
        ("concatenation of channels", {"QLinearConcat": 1}),
    ],
)
def test_onnx_runtime_fuses_an_int8_operator_to_an_integer_kernel(
    name: str, kernels: dict[str, int], tmp_path: Path
) -> None:
    assert fused_types(quantized(GRAPHS[name]), tmp_path / "optimized.onnx") == kernels


def fused_types(graph: Graph, path: Path) -> Counter[str]:
    """Operators ONNX Runtime really runs, transposes apart."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdqisint8allowed", "1")  # the default on Arm only
    options.optimized_model_filepath = str(path)
    ort.InferenceSession(write_onnx(graph), options, providers=["CPUExecutionProvider"])
    types = counts(onnx.load(path))
    del types["Transpose"]
    return types


def test_an_integer_constant_without_a_scale_is_refused() -> None:
    graph = quantized(GRAPHS["conv"])
    graph = graph.with_tensors(replace(graph.tensor("b"), quant=None))
    with pytest.raises(ModelError, match="constant 'b' is int32 without a scale"):
        write_onnx(graph)


# --------------------------------------------------------------------------- edges


def float_edges(graph: Graph) -> Graph:
    """The int8 graph between a QUANTIZE and a DEQUANTIZE."""
    source, output = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    first = Tensor("float_in", source.shape, DType.FLOAT32)
    last = Tensor("float_out", output.shape, DType.FLOAT32)
    ops = (
        Quantize(name=source.name, inputs=(first.name,), outputs=(source.name,)),
        *graph.ops,
        Dequantize(name=last.name, inputs=(output.name,), outputs=(last.name,)),
    )
    graph = replace(graph, ops=ops, inputs=(first.name,), outputs=(last.name,))
    return graph.with_tensors(first, last)


@pytest.mark.parametrize("name", ["reshape", "pad image"])
def test_float_edges_are_the_outermost_quantize_and_dequantize(name: str) -> None:
    graph = float_edges(quantized(GRAPHS[name]))
    model = checked(graph)
    assert "Identity" not in counts(model)
    assert [value.name for value in model.graph.input] == ["float_in"]
    assert [value.name for value in model.graph.output] == ["float_out"]
    assert_agrees(graph)


def test_an_output_dequantized_twice_has_both_names() -> None:
    graph = float_edges(quantized(GRAPHS["reshape"]))
    again = replace(graph.ops[-1], name="again", outputs=("again",))
    graph = graph.with_tensors(replace(graph.tensor("float_out"), name="again"))
    graph = replace(graph, ops=(*graph.ops, again), outputs=("float_out", "again"))
    assert_agrees(graph)


def test_a_tensor_may_be_requantized_inside() -> None:
    graph = quantized(GRAPHS["conv"])
    other = replace(graph.tensor("y"), name="coarse", quant=QuantParams.per_tensor(0.5, 3))
    requantize = Quantize(name="coarse", inputs=("y",), outputs=("coarse",))
    graph = replace(graph, ops=(*graph.ops, requantize), outputs=("coarse",))
    assert_agrees(graph.with_tensors(other), steps=1)


def test_a_tensor_inside_may_be_an_output_too() -> None:
    graph = replace(quantized(CHAIN), outputs=("y", "a1"))
    assert [value.name for value in checked(graph).graph.output] == ["y", "a1"]
    assert_agrees(graph, steps=2)


# --------------------------------------------------------------------------- the file


def test_the_file_says_who_wrote_it_for_which_opset() -> None:
    model = checked(CHAIN)
    assert (model.producer_name, model.producer_version) == ("tinyml", __version__)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 13)]
    assert model.ir_version == 7


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert write_onnx(quantized(CHAIN)) == write_onnx(quantized(CHAIN))


def test_values_and_nodes_have_names_of_their_own_whatever_the_tensors_are_called() -> None:
    graph = make_graph(
        {"x": (1, 7, 6, 3), "x/nchw": (1, 7, 6, 4)},
        {**KERNEL, "w2": (4, 3, 3, 3)},
        conv("x", "c/before_activation"),
        conv("x", "c", "w2", activation=RELU),
        add("c", "x/nchw", "y/nchw"),
        add("y/nchw", "c/before_activation", "y", RELU),
    )
    nodes = checked(graph).graph.node
    assert len({node.name for node in nodes}) == len(nodes)
    assert_agrees(graph)


def test_operators_that_share_weights_share_the_initializer() -> None:
    graph = make_graph(
        {"x": (1, 6, 6, 3)}, {"w": (3, 3, 3, 3), "b": (3,)}, conv("x", "c"), conv("c", "y")
    )
    assert sorted(constants_of(checked(graph))) == ["b", "w"]
