"""What is blamed on a file, and what is not."""

import onnx
import pytest
from graphs import activation, make_graph, relu

from tinyml.errors import InputError, ModelError
from tinyml.export.onnx import write_onnx
from tinyml.export.tflite import write_tflite
from tinyml.frontend.onnx.read import read_onnx
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph
from tinyml.ops.relu import Relu
from tinyml.ops.transpose import Transpose


def rectifier() -> Graph:
    tensors = [activation("x", (1, 4), None), activation("y", (1, 4), None)]
    return make_graph(tensors, [relu("y", "x")], ["x"], ["y"])


def transposed() -> onnx.ModelProto:
    tensors = [activation("x", (1, 2, 3), None), activation("y", (1, 3, 2), None)]
    op = Transpose(name="y", inputs=("x",), outputs=("y",), permutation=(0, 2, 1))
    return onnx.load_from_string(write_onnx(make_graph(tensors, [op], ["x"], ["y"])))


def fail(*_: object) -> None:
    raise AttributeError("a mistake in the operator")


def test_a_mistake_in_an_operator_is_not_blamed_on_a_tflite_file(monkeypatch):
    monkeypatch.setattr(Relu, "from_tflite", fail)

    with pytest.raises(AttributeError, match="a mistake in the operator"):
        read_tflite(write_tflite(rectifier()), "model")


def test_a_mistake_in_an_operator_is_not_blamed_on_an_onnx_file(monkeypatch):
    model = write_onnx(rectifier())
    monkeypatch.setattr(Relu, "from_onnx", fail)

    with pytest.raises(AttributeError, match="a mistake in the operator"):
        read_onnx(model, "model")


def test_a_file_cut_short_is_damaged():
    data = write_tflite(rectifier())

    with pytest.raises(InputError, match=f"damaged TFLite model .{len(data) // 2} bytes"):
        read_tflite(data[: len(data) // 2], "model")


def test_an_attribute_of_another_type_than_onnx_declares_is_refused():
    model = transposed()
    (node,) = (node for node in model.graph.node if node.op_type == "Transpose")
    (attribute,) = node.attribute
    attribute.type = onnx.AttributeProto.FLOAT

    with pytest.raises(ModelError, match="attribute 'perm' is FLOAT, expected INTS"):
        read_onnx(model.SerializeToString(), "model")
