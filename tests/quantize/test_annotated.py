"""QDQ models: ours read back byte for byte, ONNX Runtime's within a step and on the class."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from graphs import activation, branches_int8, make_graph, small_int8
from onnx import TensorProto
from onnx_models import NETWORKS, model, node, normalization, normalize, spread
from onnx_single import IMAGE_OPERATORS, single
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from references import reference_of
from sklearn.datasets import load_digits

from tinyml.errors import ModelError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.frontend.onnx.read import read_onnx
from tinyml.ir.graph import DType, Graph, QuantParams, is_quantized
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.softmax import Softmax
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import run_tflite

SAMPLES = 8


def read(model: onnx.ModelProto) -> Graph:
    return read_onnx(model.SerializeToString(), "m")


def quantized(model: onnx.ModelProto) -> Graph:
    """A float model as our own post-training quantization makes it int8."""
    graph = read(model)
    return quantize_graph(graph, calibrate(graph, floats_for(graph), MinMax), Scheme())


def floats_for(graph: Graph) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = [(SAMPLES, *graph.tensor(name).shape) for name in graph.inputs]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def samples_for(graph: Graph) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    tensors = [graph.tensor(name) for name in graph.inputs]
    return [
        rng.integers(-128, 128, (SAMPLES, *tensor.shape)).astype(np.int8)
        if tensor.dtype is DType.INT8
        else rng.normal(size=(SAMPLES, *tensor.shape)).astype(np.float32)
        for tensor in tensors
    ]


def run(graph: Graph, samples: list[np.ndarray]) -> list[np.ndarray]:
    return run_tflite(write_tflite(graph), samples, reference_of(graph))


def assert_same_bytes(graph: Graph) -> None:
    """Written as ONNX and read back, the graph gives the same bytes."""
    again = read_onnx(write_onnx(graph), "again")

    samples = samples_for(graph)
    assert (again.inputs, again.outputs) == (graph.inputs, graph.outputs)
    for ours, theirs in zip(run(again, samples), run(graph, samples), strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert np.array_equal(ours, theirs)


# --------------------------------------------------------------------------- our own


@pytest.mark.parametrize("make", [small_int8, branches_int8])
def test_a_hand_made_graph_is_read_back(make):
    assert_same_bytes(make())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_quantized_network_is_read_back(name):
    assert_same_bytes(quantized(NETWORKS[name]()))


# The reference resolver of tflite-runtime 2.14 has no int8 ELU.
@pytest.mark.parametrize("name", sorted(set(IMAGE_OPERATORS) - {"elu"}))
def test_a_quantized_operator_is_read_back(name):
    assert_same_bytes(quantized(single(name)))


def test_a_softmax_with_beta_is_read_back():
    sharp = Softmax(name="y", inputs=("x",), outputs=("y",), beta=0.7)
    tensors = [activation("x", (1, 10)), activation("y", (1, 10), 1 / 256, -128)]

    assert_same_bytes(make_graph(tensors, [sharp], ["x"], ["y"]))


# --------------------------------------------------------------------------- ONNX Runtime's


class Samples(CalibrationDataReader):
    """What ONNX Runtime calibrates on: one sample of 'x' after another."""

    def __init__(self, samples: np.ndarray) -> None:
        self.rows: Iterator[np.ndarray] = iter(samples)

    def get_next(self) -> dict[str, np.ndarray] | None:
        row = next(self.rows, None)
        return None if row is None else {"x": row}


def by_onnx_runtime(
    model: onnx.ModelProto, samples: np.ndarray, folder: Path, **options: object
) -> onnx.ModelProto:
    """The model as ``quantize_static`` writes it."""
    onnx.save(model, folder / "float.onnx")
    quantize_static(
        folder / "float.onnx",
        folder / "qdq.onnx",
        Samples(samples),
        quant_format=QuantFormat.QDQ,
        **options,
    )
    return onnx.load(folder / "qdq.onnx")


def run_onnx(model: onnx.ModelProto, samples: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.stack([session.run(None, {"x": sample})[0] for sample in samples])


def run_on_reference(graph: Graph, samples: np.ndarray) -> tuple[np.ndarray, QuantParams]:
    """Real numbers of the int8 graph on the reference kernels, and the scale of their steps."""
    prepared = prepare_for_device(graph)
    source, output = (prepared.tensor(n[0]) for n in (prepared.inputs, prepared.outputs))
    integers = run(prepared, [quantize(samples, source.per_tensor)])[0]
    return dequantize(integers, output.per_tensor), output.per_tensor


def digits_classifier() -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    """A network in PyTorch's style that reads digits, and the digits it was not fitted to.

    Its convolutions are random; its last layer is fitted by least squares.
    """
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None, None]
    nodes = [
        node("Conv", "x w1", "c1", pads=[1, 1, 1, 1]),
        normalize("c1", "n1", "bn"),
        node("Relu", "n1", "r1"),
        node("Conv", "r1 w2 b2", "c2", pads=[1, 1, 1, 1], group=16),
        node("Clip", "c2 zero six", "r2"),
        node("Add", "r1 r2", "sum"),
        node("Conv", "sum w3 b3", "c3", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Relu", "c3", "r3"),
        node("MaxPool", "r3", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "p", "f"),
    ]
    constants = {
        "w1": spread(16, 1, 3, 3),
        "w2": spread(16, 1, 3, 3, seed=1),
        "b2": spread(16) / 10,
        "w3": 2 * spread(96, 16, 3, 3, seed=2),
        "b3": spread(96) / 10,
        "zero": np.float32(0),
        "six": np.float32(6),
        **normalization("bn", 16),
    }
    inputs = {"x": (1, 1, 8, 8)}
    features = run_onnx(model(nodes, inputs, "f", constants), images).reshape(len(images), -1)
    features = np.c_[features, np.ones(len(features))]
    held_out = np.arange(len(images)) % 4 == 0
    fitted, targets = features[~held_out], np.eye(10)[digits.target[~held_out]]
    ridge = 10 * np.eye(features.shape[1])
    solved = np.linalg.solve(fitted.T @ fitted + ridge, fitted.T @ targets)
    nodes.append(node("Gemm", "f w4 b4", "y", transB=1))
    constants.update(w4=solved[:-1].T.astype(np.float32), b4=solved[-1].astype(np.float32))
    return model(nodes, inputs, "y", constants), images[~held_out], images[held_out]


@pytest.mark.parametrize("per_channel", [True, False], ids=["per channel", "per tensor"])
@pytest.mark.parametrize("activations", [QuantType.QInt8, QuantType.QUInt8], ids=str)
def test_a_network_agrees_with_onnx_runtime_on_the_class(activations, per_channel, tmp_path):
    classifier, fitted, held_out = digits_classifier()
    options = {"activation_type": activations, "weight_type": QuantType.QInt8}
    qdq = by_onnx_runtime(classifier, fitted[:200], tmp_path, per_channel=per_channel, **options)
    graph = read(qdq)

    real, _ = run_on_reference(graph, held_out)
    expected = run_onnx(qdq, held_out)

    assert is_quantized(graph)
    agreement = (real.argmax(axis=-1) == expected.argmax(axis=-1)).mean()
    assert agreement >= 0.995


# What quantize_static quantizes wherever it stands.
QUANTIZED_ALONE = (
    "add an image",
    "add itself",
    "batch normalization after an activation",
    "concatenation of channels",
    "concatenation of rows",
    "conv depthwise with multiplier",
    "conv dilated",
    "conv of two groups",
    "conv same lower",
    "conv transpose",
    "conv with uneven pads",
    "global average pool",
    "leaky relu",
    "mul by a row of channels",
    "pad",
    "pad by reflection",
    "sigmoid",
    "softmax of channels",
)
# And what it quantizes where the input is quantized anyway: its scales stay as they are.
QUANTIZED_AFTER_OTHERS = (
    "average pool",
    "depth to space",
    "flatten",
    "gather rows",
    "max pool",
    "max pool with pads",
    "relu",
    "reshape",
    "resize nearest",
    "slice",
    "squeeze",
    "transpose",
    "unsqueeze",
)


def alone(name: str) -> onnx.ModelProto:
    operator, constants = IMAGE_OPERATORS[name]
    copy = onnx.NodeProto()
    copy.CopyFrom(operator)
    copy.input[:] = ["x" if part == "h" else part for part in operator.input]
    return model([copy], {"x": (1, 4, 6, 6)}, "o", constants, opset=13)


def assert_one_step(floats: onnx.ModelProto, activations: QuantType, folder: Path) -> None:
    shape = [dim.dim_value for dim in floats.graph.input[0].type.tensor_type.shape.dim]
    samples = np.random.default_rng(5).normal(size=(64, *shape)).astype(np.float32)
    options = {"activation_type": activations, "weight_type": QuantType.QInt8}
    qdq = by_onnx_runtime(floats, samples, folder, **options)

    real, quant = run_on_reference(read(qdq), samples)

    steps = np.abs(real - run_onnx(qdq, samples)) / quant.scale[0]
    assert steps.max() < 1.01


@pytest.mark.parametrize("activations", [QuantType.QInt8, QuantType.QUInt8], ids=str)
@pytest.mark.parametrize("name", QUANTIZED_ALONE)
def test_an_operator_is_at_most_one_step_from_onnx_runtime(name, activations, tmp_path):
    assert_one_step(alone(name), activations, tmp_path)


@pytest.mark.parametrize("activations", [QuantType.QInt8, QuantType.QUInt8], ids=str)
@pytest.mark.parametrize("name", QUANTIZED_AFTER_OTHERS)
def test_an_operator_after_a_convolution_is_at_most_one_step_off(name, activations, tmp_path):
    assert_one_step(single(name), activations, tmp_path)


# --------------------------------------------------------------------------- pairs


def pairs(**tensors: tuple[float, int, type[np.generic]]) -> dict[str, np.ndarray]:
    """Scale and zero point of each, as constants."""
    constants = {}
    for key, (scale, zero_point, dtype) in tensors.items():
        constants[f"{key}/scale"] = np.float32(scale)
        constants[f"{key}/zero"] = np.array(zero_point, dtype)
    return constants


def quantize_node(source: str, output: str, key: str) -> onnx.NodeProto:
    return node("QuantizeLinear", f"{source} {key}/scale {key}/zero", output)


def dequantize_node(source: str, output: str, key: str) -> onnx.NodeProto:
    return node("DequantizeLinear", f"{source} {key}/scale {key}/zero", output)


def dense(weights: np.ndarray, zero_point: int, bias: np.ndarray | None = None) -> onnx.ModelProto:
    """x, uint8 between its pair, times weights, plus a bias."""
    constants = pairs(
        x=(0.02, 128, np.uint8),
        w=(0.01, zero_point, weights.dtype.type),
        y=(0.05, 100, np.uint8),
    )
    bias = np.arange(3, dtype=np.float32) / 8 if bias is None else bias
    nodes = [
        quantize_node("x", "xq", "x"),
        dequantize_node("xq", "xr", "x"),
        dequantize_node("w", "wr", "w"),
        node("Gemm", "xr wr b", "g"),
        quantize_node("g", "yq", "y"),
        dequantize_node("yq", "y", "y"),
    ]
    return model(nodes, {"x": (1, 4)}, "y", {**constants, "w": weights, "b": bias})


def integers(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, (4, 3))


def test_uint8_becomes_int8_by_moving_zero_points():
    graph = read(dense(integers().astype(np.int8), 0))

    assert graph.tensor("x/quantized").quant == QuantParams.per_tensor(0.02, 0)
    assert graph.tensor("y/quantized").quant == QuantParams.per_tensor(0.05, -28)
    assert graph.tensor("w").dtype is DType.INT8


def test_float_edges_stay_float_with_a_quantize_inside():
    graph = read(dense(integers().astype(np.int8), 0))

    assert [type(op).__name__ for op in graph.ops] == ["Quantize", "FullyConnected", "Dequantize"]
    assert [graph.tensor(name).dtype for name in ("x", "y")] == [DType.FLOAT32] * 2


def test_uint8_weights_around_128_are_symmetric():
    signed = read(dense(integers().astype(np.int8), 0))
    unsigned = read(dense((integers() + 128).astype(np.uint8), 128))

    assert unsigned.tensor("w") == signed.tensor("w")


def test_weights_with_another_zero_point_are_refused_with_advice():
    with pytest.raises(ModelError, match=r"weights 'w' have zero point 3, .*WeightSymmetric"):
        read(dense(integers().astype(np.int8), 3))


def test_a_float_bias_is_quantized_at_the_scale_of_the_products():
    graph = read(dense(integers().astype(np.int8), 0))

    bias = graph.tensor("b")
    scale = np.float32(0.02) * np.float32(0.01)
    assert bias.dtype is DType.INT32
    assert bias.constant.tolist() == [round(value / 8 / float(scale)) for value in range(3)]


def test_float_weights_in_a_quantized_model_are_refused():
    nodes = [
        quantize_node("x", "xq", "x"),
        dequantize_node("xq", "xr", "x"),
        node("Gemm", "xr w", "g"),
        quantize_node("g", "y", "x"),
    ]
    constants = {**pairs(x=(0.02, 0, np.int8)), "w": spread(4, 3)}

    with pytest.raises(ModelError, match="weights 'w' are float in a quantized model"):
        read(model(nodes, {"x": (1, 4)}, "y", constants, dtypes={"y": TensorProto.INT8}))


def test_what_no_pair_encloses_is_named():
    nodes = [
        quantize_node("x", "xq", "x"),
        dequantize_node("xq", "xr", "x"),
        node("ReduceMean", "xr", "e", axes=[1]),
        node("Add", "e xr", "y"),
    ]

    with pytest.raises(ModelError, match=r"2 of the .* have no QuantizeLinear: .e., .y.;"):
        read(model(nodes, {"x": (1, 4)}, "y", pairs(x=(0.02, 0, np.int8))))


def test_another_scale_right_after_the_first_is_a_requantization():
    nodes = [
        quantize_node("x", "xq", "x"),
        dequantize_node("xq", "xr", "x"),
        quantize_node("xr", "zq", "z"),
        dequantize_node("zq", "zr", "z"),
        node("Add", "xr zr", "s"),
        quantize_node("s", "y", "x"),
    ]
    constants = pairs(x=(0.02, 0, np.int8), z=(0.05, 4, np.int8))

    graph = read(model(nodes, {"x": (1, 4)}, "y", constants, dtypes={"y": TensorProto.INT8}))

    assert [type(op).__name__ for op in graph.ops] == ["Quantize", "Quantize", "Add"]
    assert graph.tensor("y").dtype is DType.INT8


def test_an_average_with_a_scale_of_its_own_is_rounded_once():
    nodes = [
        quantize_node("x", "xq", "x"),
        dequantize_node("xq", "xr", "x"),
        node("AveragePool", "xr", "a", kernel_shape=[2, 2], strides=[2, 2]),
        quantize_node("a", "aq", "a"),
        dequantize_node("aq", "y", "a"),
    ]
    constants = pairs(x=(0.02, 3, np.int8), a=(0.007, -5, np.int8))
    average = model(nodes, {"x": (1, 3, 8, 8)}, "y", constants)
    samples = np.random.default_rng(0).normal(size=(32, 1, 3, 8, 8)).astype(np.float32)

    real, quant = run_on_reference(read(average), samples)

    steps = np.abs(real - run_onnx(average, samples)) / quant.scale[0]
    assert steps.max() < 1.01


def test_scales_per_channel_on_an_activation_are_refused():
    scales = {"x/scale": spread(4) ** 2 + 1, "x/zero": np.zeros(4, np.int8)}
    nodes = [quantize_node("x", "xq", "x"), dequantize_node("xq", "y", "x")]

    with pytest.raises(ModelError, match="has scales per channel on an activation"):
        read(model(nodes, {"x": (1, 4)}, "y", scales))
