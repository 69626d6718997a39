"""ONNX nodes that are read as several operators, against ONNX Runtime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import model, node, spread
from test_onnx_import import assert_agrees, kinds, read

from tinyml.errors import ModelError

ROWS = {"x": (1, 3, 8)}
IMAGE = {"x": (1, 4, 5, 6)}
STEPS, INPUTS, CELLS = 4, 5, 3
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@pytest.mark.parametrize(
    ("op_type", "attributes"),
    [
        ("Celu", {"alpha": 1.7}),
        ("Celu", {}),
        ("Elu", {"alpha": 0.3}),
        ("LogSoftmax", {}),
        ("LogSoftmax", {"axis": 1}),
        ("Mish", {}),
        ("Selu", {}),
        ("Selu", {"alpha": 1.1, "gamma": 2.0}),
        ("Shrink", {"bias": 0.1, "lambd": 0.3}),
        ("Shrink", {}),
        ("Sign", {}),
        ("Softplus", {}),
        ("Softsign", {}),
        ("ThresholdedRelu", {"alpha": 0.2}),
    ],
)
def test_a_function_gives_what_onnx_runtime_gives(op_type, attributes):
    opset = 18 if op_type == "Mish" else 17

    assert_agrees(model([node(op_type, "x", "y", **attributes)], ROWS, "y", opset=opset))


@pytest.mark.parametrize("opset", [18, 21])
def test_a_group_normalization_is_read_with_parameters_for_groups_or_channels(opset):
    count = 6 if opset == 21 else 2
    constants = {"scale": spread(count, seed=1) + 1, "bias": spread(count, seed=2)}
    normalization = node("GroupNormalization", "x scale bias", "y", num_groups=2, epsilon=1e-3)
    graph = model([normalization], {"x": (1, 6, 4, 5)}, "y", constants, opset=opset)

    assert_agrees(graph)


def test_a_normalization_by_the_root_of_the_mean_square_is_read():
    constants = {"scale": spread(8, seed=1) + 1}
    normalization = node("RMSNormalization", "x scale", "y", epsilon=1e-3)

    assert_agrees(model([normalization], ROWS, "y", constants, opset=23))


def test_a_division_by_a_length_that_is_bounded_below_is_read():
    """As PyTorch's ``normalize`` is exported."""
    nodes = [
        node("ReduceL2", "x", "length", axes=[-1], keepdims=1),
        node("Clip", "length epsilon", "bounded"),
        node("Expand", "bounded shape", "expanded"),
        node("Div", "x expanded", "y"),
    ]
    constants = {"epsilon": np.float32(1e-12), "shape": np.array([1, 3, 8], np.int64)}

    assert_agrees(model(nodes, ROWS, "y", constants))


@pytest.mark.parametrize("relation", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"])
def test_a_selection_by_a_comparison_is_read(relation):
    nodes = [
        node(relation, "x zero", "holds"),
        node("Not", "holds", "not"),
        node("Mul", "x slope", "below"),
        node("Where", "not below x", "chosen"),
        node("Cast", "holds", "gate", to=1),
        node("Add", "chosen gate", "y"),
    ]
    constants = {"zero": np.float32(0), "slope": np.float32(0.1)}

    graph = assert_agrees(model(nodes, ROWS, "y", constants))

    assert kinds(graph)["Comparison"] == 1


@pytest.mark.parametrize("op_type", ["And", "Or"])
def test_conditions_are_combined(op_type):
    nodes = [
        node("Greater", "x low", "above"),
        node("Less", "x high", "below"),
        node(op_type, "above below", "both"),
        node("Where", "both x low", "y"),
    ]

    assert_agrees(model(nodes, ROWS, "y", {"low": np.float32(-0.2), "high": np.float32(0.3)}))


@pytest.mark.parametrize("exponent", [-1.0, 1.5])
def test_any_other_constant_power_is_one_operator(exponent):
    nodes = [node("Abs", "x", "positive"), node("Pow", "positive e", "y")]

    graph = assert_agrees(model(nodes, ROWS, "y", {"e": np.float32(exponent)}))

    assert kinds(graph)["Pow"] == 1


@pytest.mark.parametrize("exponent", [3.0, 4.0])
def test_a_small_power_is_a_product(exponent):
    graph = assert_agrees(model([node("Pow", "x e", "y")], ROWS, "y", {"e": np.float32(exponent)}))

    assert kinds(graph) == {"Mul": 2}


@pytest.mark.parametrize("op_type", ["ReduceL2", "ReduceSumSquare"])
@pytest.mark.parametrize("attributes", [{}, {"axes": [-1], "keepdims": 0}])
def test_sums_of_squares_are_read(op_type, attributes):
    assert_agrees(model([node(op_type, "x", "y", **attributes)], ROWS, "y"))


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("inputs", ["x scale bias", "x scale"])
def test_a_layer_normalization_divides_by_no_activation(axis, inputs):
    shape = (8,) if axis == -1 else (3, 8)
    constants = {"scale": spread(*shape, seed=1) + 1, "bias": spread(*shape, seed=2)}
    normalization = node("LayerNormalization", inputs, "y", axis=axis, epsilon=1e-3)

    graph = assert_agrees(model([normalization], ROWS, "y", constants))

    assert (kinds(graph)["Div"], kinds(graph)["Rsqrt"]) == (0, 1)


def test_a_layer_normalization_spelled_out_divides_by_no_activation():
    nodes = [
        node("ReduceMean", "x", "mean", axes=[-1]),
        node("Sub", "x mean", "centred"),
        node("Mul", "centred centred", "square"),
        node("ReduceMean", "square", "variance", axes=[-1]),
        node("Add", "variance epsilon", "positive"),
        node("Sqrt", "positive", "deviation"),
        node("Div", "centred deviation", "y"),
    ]

    graph = assert_agrees(model(nodes, ROWS, "y", {"epsilon": np.float32(1e-5)}))

    assert (kinds(graph)["Div"], kinds(graph)["Sqrt"], kinds(graph)["Rsqrt"]) == (0, 0, 1)


def test_a_root_that_is_read_elsewhere_stays():
    nodes = [node("Abs", "x", "a"), node("Sqrt", "a", "r"), node("Div", "x r", "y")]

    graph = assert_agrees(model(nodes, ROWS, "y r"))

    assert (kinds(graph)["Sqrt"], kinds(graph)["Rsqrt"]) == (1, 1)


def test_a_batch_normalization_may_compute_its_statistics():
    nodes = [
        node("ReduceMean", "x", "mean", axes=[0, 2, 3], keepdims=0),
        node("Abs", "mean", "variance"),
        node("BatchNormalization", "x scale bias mean variance", "y"),
    ]
    constants = {"scale": spread(4, seed=1) + 1, "bias": spread(4, seed=2)}

    assert_agrees(model(nodes, IMAGE, "y", constants))


def test_instance_normalization_works_on_images_and_rows():
    constants = {"scale": spread(4, seed=1) + 1, "bias": spread(4, seed=2)}
    normalization = node("InstanceNormalization", "x scale bias", "y")

    for inputs in (IMAGE, {"x": (1, 4, 9)}):
        assert_agrees(model([normalization], inputs, "y", constants))


# --------------------------------------------------------------------------- sequences


def recurrent(
    op_type: str, directions: int = 1, **parts: Any
) -> tuple[Mapping[str, Any], onnx.NodeProto]:
    """Parameters and node; ``parts`` are attributes and, by the names of inputs, further values."""
    rows = GATES[op_type] * CELLS
    constants = {
        "w": spread(directions, rows, INPUTS, seed=1) * 3,
        "r": spread(directions, rows, CELLS, seed=2) * 3,
        "b": spread(directions, 2 * rows, seed=3),
    }
    outputs = "all last cell" if op_type == "LSTM" else "all last"
    inputs = parts.pop("inputs", "x w r b")
    return constants, node(op_type, inputs, outputs, hidden_size=CELLS, **parts)


def sequence(op_type: str, **parts: Any) -> onnx.ModelProto:
    directions = 2 if parts.get("direction") == "bidirectional" else 1
    constants, layer = recurrent(op_type, directions, **parts)
    return model([layer], {"x": (STEPS, 1, INPUTS)}, " ".join(layer.output), constants)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("op_type", GATES)
def test_a_recurrent_layer_gives_what_onnx_runtime_gives(op_type, direction):
    assert_agrees(sequence(op_type, direction=direction))


@pytest.mark.parametrize("op_type", GATES)
def test_a_recurrent_layer_needs_no_bias(op_type):
    assert_agrees(sequence(op_type, inputs="x w r"))


def test_a_gru_may_reset_before_or_after_its_product():
    for after in (0, 1):
        assert_agrees(sequence("GRU", linear_before_reset=after))


def test_a_state_given_at_run_time_is_where_the_sequence_starts():
    constants, layer = recurrent("LSTM", 2, inputs="x w r b - h c", direction="bidirectional")
    inputs = {"x": (STEPS, 1, INPUTS), "h": (2, 1, CELLS), "c": (2, 1, CELLS)}

    assert_agrees(model([layer], inputs, "all last cell", constants))


def test_one_step_of_a_gru_is_read():
    constants, layer = recurrent("GRU", inputs="x w r b - h", linear_before_reset=1)

    assert_agrees(model([layer], {"x": (1, 1, INPUTS), "h": (1, 1, CELLS)}, "last", constants))


def test_the_product_with_the_input_is_one_for_all_steps():
    graph = read(sequence("LSTM"))

    assert kinds(graph)["FullyConnected"] == 1 + (STEPS - 1)


@pytest.mark.parametrize(
    ("op_type", "attributes", "message"),
    [
        ("LSTM", {"clip": 3.0}, "has a clip or coupled gates"),
        ("LSTM", {"input_forget": 1}, "has a clip or coupled gates"),
        ("GRU", {"layout": 1}, "has batches first"),
        ("RNN", {"activations": ["Relu"]}, "has activations"),
    ],
)
def test_a_variant_of_a_recurrent_layer_is_refused_by_what_it_is(op_type, attributes, message):
    with pytest.raises(ModelError, match=f"{op_type} 'all': {message}"):
        read(sequence(op_type, **attributes))


def test_sequences_of_several_lengths_are_refused():
    constants, layer = recurrent("LSTM", inputs="x w r b n")
    lengths = {"n": np.array([STEPS - 1], np.int32)}
    shortened = model([layer], {"x": (STEPS, 1, INPUTS)}, "all", {**constants, **lengths})

    with pytest.raises(ModelError, match="has sequences of several lengths"):
        read(shortened)


def test_weights_of_a_recurrent_layer_that_are_computed_are_refused():
    constants, layer = recurrent("RNN")
    inputs = {"x": (STEPS, 1, INPUTS), "w": constants["w"].shape}
    rest = {name: constants[name] for name in ("r", "b")}

    with pytest.raises(ModelError, match=r"RNN 'all': input 1 \('w'\) is computed at run time"):
        read(model([layer], inputs, "all", rest))
