"""Quantized ONNX models that are not QDQ are refused once, with what to do instead."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tinyml.errors import ModelError
from tinyml.frontend.onnx.read import read_onnx
from tinyml.frontend.partial import PartlyReadError


def model(nodes, constants, element=TensorProto.FLOAT) -> bytes:
    ends = [helper.make_tensor_value_info(name, element, [1, 4]) for name in "xy"]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(made.SerializeToString())


SCALES = {"s": np.float32(0.1), "z": np.uint8(3), "w": np.eye(4, dtype=np.uint8)}


def operator_form(element=TensorProto.FLOAT) -> bytes:
    triple = lambda name: (name, "s", "z")  # noqa: E731
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("QLinearMatMul", [*triple("q"), *triple("w"), "s", "z"], ["m"]),
        helper.make_node(
            "QLinearAdd", [*triple("m"), *triple("w"), "s", "z"], ["a"], domain="com.microsoft"
        ),
        helper.make_node("DequantizeLinear", ["a", "s", "z"], ["y"]),
    ]
    return model(nodes, SCALES, element)


def test_the_operator_form_is_named_with_the_option_to_pass_instead():
    with pytest.raises(ModelError) as refusal:
        read_onnx(operator_form(), "m")

    assert str(refusal.value) == (
        "'m' is quantized in ONNX's QOperator form (QLinearMatMul 'm', com.microsoft.QLinearAdd "
        "'a'), expected QDQ; give its float model to 'tinyml quantize', or quantize it with "
        "quantize_static and quant_format=QuantFormat.QDQ"
    )


def test_it_is_named_where_an_input_of_the_model_cannot_be_read_either():
    with pytest.raises(ModelError, match="QOperator form"):
        read_onnx(operator_form(TensorProto.UINT8), "m")


def test_what_is_shown_of_the_model_says_it_of_each_node():
    with pytest.raises(PartlyReadError) as refusal:
        read_onnx(operator_form(), "m")

    reasons = [operator.reason for operator in refusal.value.partial.operators if operator.reason]
    assert reasons[0] == "QLinearMatMul 'm': is of ONNX's QOperator form, expected QDQ"


def test_dynamic_quantization_is_named_and_its_layers_are_listed_short():
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
        helper.make_node("MatMulInteger", ["q", "w", "qz"], ["m"]),
        helper.make_node("DynamicQuantizeLinear", ["m"], ["r", "rs", "rz"]),
        helper.make_node("MatMulInteger", ["r", "w", "rz"], ["n"]),
        helper.make_node("Cast", ["n"], ["y"], to=TensorProto.FLOAT),
    ]

    with pytest.raises(ModelError) as refusal:
        read_onnx(model(nodes, SCALES), "m")

    assert str(refusal.value).startswith(
        "'m' is quantized dynamically (DynamicQuantizeLinear 'q', MatMulInteger 'm', "
        "DynamicQuantizeLinear 'r' and 1 more): "
    )
    assert str(refusal.value).endswith("quant_format=QuantFormat.QDQ")


def test_nodes_that_are_merely_unknown_are_still_listed():
    nodes = [helper.make_node("NonZero", ["x"], ["y"])]

    with pytest.raises(ModelError, match="NonZero 'y': is not supported"):
        read_onnx(model(nodes, {}), "m")


def test_an_operator_whose_name_is_no_text_is_refused_with_a_sentence():
    damaged = operator_form().replace(b"QLinearMatMul", b"QLinearMatMu\xff")

    with pytest.raises(ModelError, match="QOperator form"):
        read_onnx(damaged, "m")
