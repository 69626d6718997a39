"""QDQ models with int16 activations: ours read back byte for byte, ONNX Runtime's within a step."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_models import NETWORKS
from onnx_single import IMAGE_OPERATORS, single
from onnxruntime.quantization import QuantType
from test_annotated import (
    QUANTIZED_AFTER_OTHERS,
    QUANTIZED_ALONE,
    alone,
    by_onnx_runtime,
    dense,
    digits_classifier,
    floats_for,
    integers,
    read,
    run,
    run_onnx,
)

from tinyml.errors import ModelError
from tinyml.export.onnx import WIDE_IR_VERSION, WIDE_OPSET, write_onnx
from tinyml.frontend.onnx.read import read_onnx
from tinyml.ir.graph import DType, Graph
from tinyml.numerics.affine import dequantize, quantize
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

SAMPLES = 8
# What no runtime of TFLite has for int16, or we neither.
WITHOUT_KERNEL = {
    "depth to space",
    "depth to space of pytorch",
    "elu",
    "exp",
    "hard swish",
    "prelu",
    "reduce sum",
    "space to depth",
    "tile",
}
SYMMETRIC = {
    "activation_type": QuantType.QInt16,
    "weight_type": QuantType.QInt8,
    "extra_options": {"ActivationSymmetric": True},
}
# TFLite's softmax of int16 looks two functions up between points of tables.
STEPS = {"softmax of channels": 3}


def quantized(model: onnx.ModelProto) -> Graph:
    graph = read(model)
    table = calibrate(graph, floats_for(graph), MinMax)
    return quantize_graph(graph, table, Scheme(activations=DType.INT16))


def with_opset_21(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model of the first opset that quantizes to int16."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    changed.opset_import[0].version = WIDE_OPSET
    changed.ir_version = WIDE_IR_VERSION
    return changed


def assert_same_bytes(graph: Graph) -> None:
    again = read_onnx(write_onnx(graph), "again")
    rng = np.random.default_rng(4)
    samples = [
        rng.integers(-32768, 32768, (SAMPLES, *graph.tensor(name).shape)).astype(np.int16)
        for name in graph.inputs
    ]

    for ours, theirs in zip(run(again, samples), run(graph, samples), strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_16x8_network_is_read_back(name):
    assert_same_bytes(quantized(NETWORKS[name]()))


@pytest.mark.parametrize("name", sorted(set(IMAGE_OPERATORS) - WITHOUT_KERNEL))
def test_a_16x8_operator_is_read_back(name):
    assert_same_bytes(quantized(single(name)))


def on_reference(graph: Graph, samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Real numbers of the 16x8 graph on the reference kernels, and the size of their steps."""
    prepared = prepare_for_device(graph)
    source, output = (prepared.tensor(n[0]) for n in (prepared.inputs, prepared.outputs))
    assert (source.dtype, output.dtype) == (DType.INT16, DType.INT16)
    given = run(prepared, [quantize(samples, source.per_tensor, DType.INT16)])[0]
    return dequantize(given, output.per_tensor), output.scale


@pytest.mark.parametrize(
    "name", sorted({*QUANTIZED_ALONE, *QUANTIZED_AFTER_OTHERS} - WITHOUT_KERNEL)
)
def test_a_16x8_operator_is_at_most_one_step_from_onnx_runtime(name, tmp_path):
    floats = with_opset_21((alone if name in QUANTIZED_ALONE else single)(name))
    shape = [dim.dim_value for dim in floats.graph.input[0].type.tensor_type.shape.dim]
    samples = np.random.default_rng(5).normal(size=(64, *shape)).astype(np.float32)
    qdq = by_onnx_runtime(floats, samples, tmp_path, **SYMMETRIC)

    real, step = on_reference(read(qdq), samples)

    steps = np.abs(real - run_onnx(qdq, samples)) / step
    assert steps.max() < STEPS.get(name, 1) + 0.01


@pytest.mark.parametrize("per_channel", [True, False], ids=["per channel", "per tensor"])
def test_a_16x8_network_agrees_with_onnx_runtime_on_the_class(per_channel, tmp_path):
    classifier, fitted, held_out = digits_classifier()
    qdq = by_onnx_runtime(
        with_opset_21(classifier), fitted[:200], tmp_path, per_channel=per_channel, **SYMMETRIC
    )

    real, _ = on_reference(read(qdq), held_out)
    expected = run_onnx(qdq, held_out)

    assert (real.argmax(axis=-1) == expected.argmax(axis=-1)).mean() >= 0.995


# --------------------------------------------------------------------------- what is refused


def sigmoid_by(folder: Path, **options: object) -> onnx.ModelProto:
    samples = np.random.default_rng(5).uniform(-1, 3, (8, 1, 4, 6, 6)).astype(np.float32)
    return by_onnx_runtime(with_opset_21(alone("sigmoid")), samples, folder, **options)


def test_int16_about_another_number_than_zero_is_refused(tmp_path):
    qdq = sigmoid_by(tmp_path, activation_type=QuantType.QInt16, weight_type=QuantType.QInt8)

    with pytest.raises(ModelError, match=r"of int16, expected 0; quantize with symmetric act"):
        read(qdq)


def test_uint16_is_refused(tmp_path):
    qdq = sigmoid_by(tmp_path, activation_type=QuantType.QUInt16, weight_type=QuantType.QInt8)

    with pytest.raises(ModelError, match="works on uint16, expected int8, uint8 or int16"):
        read(qdq)


def test_weights_of_int16_are_refused(tmp_path):
    options = {**SYMMETRIC, "weight_type": QuantType.QInt16}
    samples = np.random.default_rng(5).normal(size=(8, 1, 4, 6, 6)).astype(np.float32)
    qdq = by_onnx_runtime(with_opset_21(alone("conv dilated")), samples, tmp_path, **options)

    with pytest.raises(ModelError, match="expected int8; quantize with int8 weights"):
        read(qdq)


def test_a_mixture_of_int8_and_int16_is_refused():
    qdq = dense(integers().astype(np.int8), 0)
    (zero,) = (t for t in qdq.graph.initializer if t.name == "y/zero")
    zero.CopyFrom(onnx.numpy_helper.from_array(np.array(0, np.int16), "y/zero"))

    with pytest.raises(ModelError, match="works on int16 where other activations are int8"):
        read(qdq)
