"""int16 activations of some layers among int8 ones."""

import numpy as np
import pytest
from graphs import activation, add, concatenation, float_constant, make_graph, softmax
from separable import images, separable

from tinyml.data.metrics import signal_to_error
from tinyml.errors import InputError
from tinyml.export.tflite import write_tflite
from tinyml.ir.graph import DType, Graph
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.elu import Elu
from tinyml.pipeline import plan_model
from tinyml.quantize.calibrate import calibrate, iterate_activations
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Override, Scheme
from tinyml.runtime.tflite import LITERT_REFERENCE, run_tflite, stacked


def mixed(graph: Graph, *patterns: str, data: np.ndarray | None = None, **scheme) -> Graph:
    """The graph in int8 where layers that fit a pattern are int16, or the other way round."""
    data = images(16) if data is None else data
    other = DType.INT8 if scheme.get("activations") is DType.INT16 else DType.INT16
    overrides = tuple(Override(layers=name, activations=other) for name in patterns)
    return quantize_graph(graph, calibrate(graph, data), Scheme(overrides=overrides, **scheme))


def kinds(graph: Graph) -> list[str]:
    return [f"{type(op).__name__} {graph.tensor(op.outputs[0]).dtype.value}" for op in graph.ops]


def signal(graph: Graph, quantized: Graph, data: np.ndarray) -> float:
    expected = stacked(iterate_activations(graph, [data], graph.outputs))[0]
    source, output = (quantized.tensor(n) for n in (*quantized.inputs, *quantized.outputs))
    codes = quantize(data, source.quant, source.dtype)
    got = run_tflite(write_tflite(quantized), [codes], LITERT_REFERENCE)[0]
    return signal_to_error(expected, dequantize(got, output.quant))


def test_a_layer_of_int16_stands_between_two_quantize():
    quantized = mixed(separable(), "pointwise")

    assert kinds(quantized) == [
        "Conv2D int8",
        "Pad int8",
        "DepthwiseConv2D int8",
        "Quantize int16",
        "Conv2D int16",
        "Quantize int8",
        "Mean int8",
        "FullyConnected int8",
    ]
    plan_model(quantized)


def test_neighbours_of_int16_share_their_tensor():
    quantized = mixed(separable(), "depthwise", "pointwise", "means")

    assert [kind for kind in kinds(quantized) if "Quantize" in kind] == [
        "Quantize int16",
        "Quantize int8",
    ]
    plan_model(quantized)


def test_inputs_and_outputs_stay_what_the_scheme_has():
    quantized = mixed(separable(), "conv", "logits")

    assert {quantized.tensor(n).dtype for n in (*quantized.inputs, *quantized.outputs)} == {
        DType.INT8
    }
    assert quantized.outputs == ("logits",)
    plan_model(quantized)


@pytest.mark.parametrize("patterns", [("logits",), ("p*", "means"), ("*",)])
def test_a_mixed_graph_is_as_good_as_int8_at_least(patterns):
    graph = separable()

    plain, finer = mixed(graph), mixed(graph, *patterns)

    assert signal(graph, finer, images(16)) > signal(graph, plain, images(32, 1)) - 0.5
    assert signal(graph, finer, images(16)) > 30


def test_layers_of_int8_in_a_16x8_model():
    graph = separable()
    quantized = mixed(graph, "depthwise", activations=DType.INT16)

    assert [kind for kind in kinds(quantized) if "Quantize" in kind] == [
        "Quantize int8",
        "Quantize int16",
    ]
    assert signal(graph, quantized, images(16)) > 30
    plan_model(quantized)


def test_biases_of_int16_layers_have_64_bits_and_weights_8():
    quantized = mixed(separable(), "pointwise")

    assert quantized.tensor("pointwise/b").dtype is DType.INT64
    assert quantized.tensor("conv/b").dtype is DType.INT32
    assert quantized.tensor("pointwise/w").dtype is DType.INT8


def test_a_constant_that_layers_of_both_widths_read_is_there_twice():
    tensors = [
        activation("x", (1, 4), None),
        float_constant("c", [0.5, -1.0, 2.0, 0.25]),
        activation("first", (1, 4), None),
        activation("second", (1, 4), None),
        activation("both", (1, 8), None),
    ]
    ops = [
        add("first", "x", "c"),
        add("second", "first", "c"),
        concatenation("both", "first", "second", axis=1),
    ]
    graph = make_graph(tensors, ops, ["x"], ["both"])
    data = np.random.default_rng(0).normal(size=(16, 1, 4)).astype(np.float32)

    quantized = mixed(graph, "second", data=data)

    dtypes = [t.dtype for t in quantized.tensors.values() if t.is_constant]
    assert sorted(dtype.value for dtype in dtypes) == ["int16", "int8"]
    assert signal(graph, quantized, data) > 40


def test_a_tied_output_of_fixed_scale_may_be_int16():
    tensors = [activation(n, (1, 4), None) for n in ("x", "p")]
    graph = make_graph(tensors, [softmax("p", "x")], ["x"], ["p"])
    data = np.random.default_rng(0).normal(size=(16, 1, 4)).astype(np.float32)

    quantized = mixed(graph, "p", data=data)

    assert quantized.tensor("p").dtype is DType.INT8
    assert signal(graph, quantized, data) > 40


def test_an_operator_without_a_kernel_for_int16_is_refused_by_name_with_a_way_out():
    tensors = [activation(n, (1, 4), None) for n in ("x", "y")]
    graph = make_graph(tensors, [Elu(name="y", inputs=("x",), outputs=("y",))], ["x"], ["y"])

    with pytest.raises(InputError, match=r"layer 'y' [(]ELU[)] is to have int16 activations, for"):
        mixed(graph, "y", data=images(4)[:, :, 0, 0, :1].repeat(4, axis=2))
