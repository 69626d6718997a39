"""What operators that keep tensors of their own refuse, and that files hold all they are."""

from dataclasses import replace

import pytest
from single_operator import cases_of

from tinyml.errors import ModelError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams
from tinyml.ir.verify import verify_quantized
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.ops.lstm import Lstm
from tinyml.ops.svdf import Svdf


def first(operator: str) -> Graph:
    return cases_of(operator)[0].graph


def node(graph: Graph, **changed: object) -> TfliteNode:
    """The graph's operator as a file would hold it."""
    (op,) = graph.ops
    record = op.to_tflite(graph)
    fields = {
        "opcode": record.opcode,
        "name": op.name,
        "inputs": op.inputs,
        "outputs": op.outputs,
        "options": record.options,
        "tensors": graph.tensors,
        "intermediates": record.intermediates,
    }
    return TfliteNode(**{**fields, **changed})


@pytest.mark.parametrize("operator", ["svdf", "lstm", "variable"])
def test_a_written_model_reads_back_the_same(operator):
    for case in cases_of(operator):
        once = read_tflite(write_tflite(case.graph), "model")

        assert read_tflite(write_tflite(once), "model") == once
        assert once.states == case.graph.states


@pytest.mark.parametrize("operator", ["svdf", "lstm"])
def test_an_operator_that_keeps_tensors_is_no_onnx(operator):
    with pytest.raises(ModelError, match="ONNX has no state"):
        write_onnx(first(operator))


@pytest.mark.parametrize("operator", ["svdf", "lstm"])
def test_multiply_accumulates_count_all_weights(operator):
    graph = first(operator)
    (op,) = graph.ops

    assert op.macs(graph) == {"svdf": 4 * (1 + 5), "lstm": 4 * 4 * (5 + 4)}[operator]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"options": {"rank": 1, "fusedActivationFunction": 0}}, "expected the fused activation"),
        ({"inputs": ("source", "features", "time", "bias")}, "4 inputs, expected 5"),
    ],
)
def test_a_variant_of_svdf_is_refused(changed, message):
    with pytest.raises(ModelError, match=message):
        Svdf.from_tflite(node(first("svdf"), **changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"options": {"fusedActivationFunction": 1}}, "has activation 1, expected tanh"),
        ({"intermediates": ()}, "says no scale of its hidden values"),
    ],
)
def test_a_variant_of_lstm_is_refused(changed, message):
    with pytest.raises(ModelError, match=message):
        Lstm.from_tflite(node(first("lstm"), **changed))


@pytest.mark.parametrize(
    ("places", "name", "variant"),
    [
        ((9,), "bias_12", r"peepholes \(input 9\)"),
        ((10, 11), "bias_12", r"peepholes \(input 10\)"),
        ((16,), "weights_1", r"a projection \(input 16\)"),
        ((20, 21, 22, 23), "bias_12", r"layer normalization \(input 20\)"),
        ((1, 5, 12), "", r"coupled input and forget gates \(no inputs 1, 5 and 12\)"),
        ((13,), "", "no input 13"),
        ((24,), "bias_12", "24 inputs and more"),
    ],
)
def test_a_variant_of_lstm_is_refused_by_its_name(places, name, variant):
    graph = first("lstm")
    (op,) = graph.ops
    inputs = [*op.inputs, ""]
    for place in places:
        inputs[place] = name

    with pytest.raises(ModelError, match=f"'output': has {variant}, expected an LSTM as Keras"):
        Lstm.from_tflite(node(graph, inputs=tuple(inputs)))


def test_a_float_lstm_is_refused_with_what_to_do_instead():
    graph = first("lstm")
    source = replace(graph.tensor("source"), dtype=DType.FLOAT32, quant=None)

    with pytest.raises(ModelError, match=r"is float, .* build the Keras layer with unroll=True"):
        Lstm.from_tflite(node(graph.with_tensors(source), intermediates=()))


def test_an_lstm_that_keeps_both_states_in_one_tensor_is_refused_as_a_mistake():
    graph = first("lstm")
    inputs = tuple("hidden" if name == "cell" else name for name in graph.ops[0].inputs)

    with pytest.raises(ModelError, match=r"are one tensor, 'hidden', as TensorFlow 2\.4 writes"):
        Lstm.from_tflite(node(graph, inputs=inputs))


def test_both_peepholes_and_a_projection_are_named():
    graph = first("lstm")
    (op,) = graph.ops
    inputs = [*op.inputs]
    inputs[9] = inputs[16] = "bias_12"

    with pytest.raises(ModelError, match=r"peepholes \(input 9\) and a projection \(input 16\)"):
        Lstm.from_tflite(node(graph, inputs=tuple(inputs)))


@pytest.mark.parametrize("operator", ["svdf", "lstm"])
def test_state_that_nothing_initialises_is_refused(operator):
    with pytest.raises(ModelError, match=r"before anything has written it"):
        verify_quantized(replace(first(operator), states=()))


@pytest.mark.parametrize(
    ("operator", "name", "changes", "message"),
    [
        ("svdf", "source", {"shape": (1, 6, 1)}, "expected two dimensions"),
        ("svdf", "features", {"shape": (4, 9)}, "do not fit together"),
        ("svdf", "time", {"dtype": DType.INT8}, "expected int16"),
        ("svdf", "kept", {"dtype": DType.INT8}, "expected int16"),
        ("svdf", "features", {"quant": QuantParams.per_tensor(0.1, 4)}, "with zero point 0"),
        ("svdf", "kept", {"quant": None}, "has no scale"),
        ("lstm", "source", {"shape": (3, 5)}, "expected 3 dimensions"),
        ("lstm", "bias_12", {"dtype": DType.INT64}, "expected int32"),
        ("lstm", "weights_2", {"quant": QuantParams.per_tensor(0.1, 4)}, "with zero point 0"),
        ("lstm", "hidden", {"quant": None}, "has no scale"),
        ("lstm", "cell", {"quant": QuantParams.per_tensor(3e-4, 0)}, "expected a power of two"),
        ("lstm", "cell", {"quant": QuantParams.per_tensor(2.0**-8, 0)}, "expected a power of two"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(operator, name, changes, message):
    graph = first(operator)
    graph = graph.with_tensors(replace(graph.tensor(name), **changes))
    (op,) = graph.ops

    with pytest.raises(ModelError, match=message):
        _check(graph, op)


def _check(graph, op):
    op.infer(graph)
    op.check_quantized(graph)


def test_a_rank_that_does_not_divide_the_filters_is_refused():
    graph = first("svdf")
    (op,) = graph.ops

    with pytest.raises(ModelError, match="rank is 3, expected a divisor of the 4 filters"):
        replace(op, rank=3).infer(graph)
