"""``--signature NAME`` chooses among the signatures of a .tflite, in every command."""

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from command_helpers import change_tflite

from tinyml.frontend.load import load_model

pytestmark = pytest.mark.usefixtures("workplace")

BOARD = ("--board", "mps2-an386")
COMMANDS = [
    ("build", "int8.tflite", *BOARD, "-o", "out"),
    ("run", "int8.tflite", *BOARD, "--input", "x.npy", "-o", "y.npy"),
    ("compare", "int8.tflite", "--data", "data.npz", *BOARD),
    ("flash", "int8.tflite", *BOARD),
    ("export", "int8.tflite", "--format", "tflite", "-o", "new.tflite"),
    ("quantize", "float.tflite", "--data", "data.npz", "-o", "new.tflite"),
    ("inspect", "int8.tflite"),
]


def sign_twice(model) -> None:
    """Let two subgraphs have a signature, 'second' with other names of its input and output."""
    first = model.subgraphs[0]
    model.subgraphs.append(first)
    model.signatureDefs = []
    for place, key in enumerate(("first", "second")):
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, place
        signature.inputs = [tensor_map("picture", first.inputs[0])]
        signature.outputs = [tensor_map("classes", first.outputs[0])]
        model.signatureDefs.append(signature)


def tensor_map(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_model_of_several_signatures_is_refused_with_their_names(tinyml, command):
    change_tflite(command[1], command[1], sign_twice)

    called = tinyml(*command)

    assert called.code == 2
    assert "has 2 signatures, expected one: 'first', 'second'; choose with --sig" in called.err
    assert called.err.count("\n") == 1


def test_the_one_that_is_named_is_taken(tinyml):
    change_tflite("int8.tflite", "signed.tflite", sign_twice)

    called = tinyml(
        *("export", "signed.tflite", "--signature", "second"),
        *("--format", "tflite", "-o", "one.tflite"),
    )

    assert (called.code, called.err) == (0, "")
    graph = load_model(Path("one.tflite"))
    assert (graph.inputs, graph.outputs) == (("picture",), ("classes",))


def test_a_quantized_signature_is_compared_with_that_of_the_float_model(tinyml):
    change_tflite("float.tflite", "signed.tflite", sign_twice)
    second = ("--signature", "second")
    tinyml("quantize", "signed.tflite", *second, "--data", "data.npz", "-o", "new.tflite")

    called = tinyml(
        *("compare", "new.tflite", *second, "--reference", "signed.tflite"),
        *("--data", "data.npz", "--board", "host"),
    )

    assert (called.code, called.err) == (0, "")


def test_the_option_is_refused_for_models_of_other_formats(tinyml):
    tinyml("export", "int8.tflite", "--format", "onnx", "-o", "model.onnx")

    called = tinyml(
        *("export", "model.onnx", "--signature", "a", "--format", "tflite", "-o", "one.tflite")
    )

    assert called.code == 2
    assert "'model.onnx' is no .tflite" in called.err
