"""Named after the function: test files share one namespace, and reading has its own."""

import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from graphs import (
    CONVERTER_NAME,
    activation,
    add,
    branches_int8,
    concatenation,
    depthwise_conv_2d,
    float_weights,
    fully_connected,
    int8_weights,
    make_graph,
    pad,
    reshape,
    small_float,
    small_int8,
    spread,
)
from references import REFERENCES, reference_of

from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Tensor
from tinyml.runtime.tflite import LITERT_REFERENCE, run_tflite

GRAPHS = {
    "small_int8": small_int8,
    "small_float": small_float,
    "branches_int8": branches_int8,
}
ALL_GRAPHS = pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)


def parsed(model: bytes):
    return schema.ModelT.InitFromPackedBuf(model, 0)


def samples_for(graph, count: int = 3) -> list[np.ndarray]:
    inputs = [graph.tensor(name) for name in graph.inputs]
    return [
        np.stack([spread(t.shape, seed).astype(t.dtype.numpy) for seed in range(count)])
        for t in inputs
    ]


@pytest.mark.parametrize(
    "graph",
    [*(make() for make in GRAPHS.values()), branches_int8(per_channel=True)],
    ids=[*GRAPHS, "per_channel"],
)
def test_reading_back_gives_an_equal_graph_with_everything_in_its_order(graph):
    again = read_tflite(write_tflite(graph), graph.name)

    assert again == graph
    assert list(again.tensors) == list(graph.tensors)


@ALL_GRAPHS
def test_writing_what_was_read_gives_the_same_bytes(make):
    model = write_tflite(make())

    assert write_tflite(read_tflite(model, make().name)) == model


@ALL_GRAPHS
def test_every_runtime_accepts_the_file_and_all_agree(make):
    graph = make()

    first, *others = [
        run_tflite(write_tflite(graph), samples_for(graph), runtime) for runtime in REFERENCES
    ]

    assert [array.shape[1:] for array in first] == [graph.tensor(n).shape for n in graph.outputs]
    for other in others:
        for name, one, another in zip(graph.outputs, first, other, strict=True):
            np.testing.assert_allclose(one, another, atol=1e-6, err_msg=name)


def test_tensorflows_interpreter_accepts_every_file_and_gives_the_same_results(tmp_path):
    """In a process of its own: TensorFlow takes seconds to start and stays."""
    script = """
import sys
import numpy as np
import tensorflow as tf

for stem in sys.argv[1:]:
    interpreter = tf.lite.Interpreter(
        stem + ".tflite",
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    with np.load(stem + ".npz") as samples:
        for position, detail in enumerate(interpreter.get_input_details()):
            interpreter.set_tensor(detail["index"], samples[str(position)][0])
    interpreter.invoke()
    outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    np.savez(stem + ".result.npz", *outputs)
"""
    graphs = {name: make() for name, make in GRAPHS.items()}
    graphs["per_channel"] = branches_int8(per_channel=True)
    for name, graph in graphs.items():
        (tmp_path / f"{name}.tflite").write_bytes(write_tflite(graph))
        samples = {str(i): array for i, array in enumerate(samples_for(graph, 1))}
        np.savez(tmp_path / f"{name}.npz", **samples)

    subprocess.run(
        [sys.executable, "-c", script, *(str(tmp_path / name) for name in graphs)], check=True
    )

    for name, graph in graphs.items():
        ours = run_tflite(write_tflite(graph), samples_for(graph, 1), LITERT_REFERENCE)
        with np.load(tmp_path / f"{name}.result.npz") as theirs:
            for one, other in zip(ours, theirs.values(), strict=True):
                np.testing.assert_allclose(one[0], other, atol=1e-6, err_msg=name)


@ALL_GRAPHS
def test_constants_lie_at_multiples_of_16_bytes_in_the_file(make):
    graph = make()
    model = write_tflite(graph)
    view = schema.Model.GetRootAs(model, 0)

    buffers = [view.Buffers(i) for i in range(view.BuffersLength())]
    filled = [buffer for buffer in buffers if buffer.DataLength()]

    assert len(filled) >= sum(tensor.is_constant for tensor in graph.tensors.values())
    for buffer in filled:
        start = buffer._tab.Vector(buffer._tab.Offset(4))
        assert start % 16 == 0


def test_the_file_starts_with_the_identifier_and_an_empty_buffer():
    model = write_tflite(small_int8())

    assert model[4:8] == b"TFL3"
    assert parsed(model).version == 3
    assert parsed(model).buffers[0].data is None


def versions(graph) -> dict[str, int]:
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = parsed(write_tflite(graph)).operatorCodes
    return {names[code.builtinCode]: code.version for code in codes}


def test_float_operators_are_written_in_their_first_version():
    assert set(versions(small_float()).values()) == {1}


def test_int8_operators_are_written_in_the_version_that_brought_int8():
    assert versions(small_int8()) == {
        "PAD": 2,
        "CONV_2D": 3,
        "DEPTHWISE_CONV_2D": 3,
        "ADD": 2,
        "MAX_POOL_2D": 2,
        "MEAN": 2,
        "RESHAPE": 1,
        "FULLY_CONNECTED": 4,
        "SOFTMAX": 2,
    }


@pytest.mark.parametrize(("per_channel", "version"), [(False, 6), (True, 12)])
def test_a_fully_connected_layer_asks_for_no_newer_version_than_its_features(per_channel, version):
    found = versions(branches_int8(per_channel=per_channel))

    assert found["FULLY_CONNECTED"] == version
    assert (found["QUANTIZE"], found["DEQUANTIZE"], found["CONCATENATION"]) == (2, 2, 2)


def test_only_a_dilated_float_depthwise_convolution_asks_for_version_2():
    tensors = [
        activation("x", (1, 5, 5, 2), None),
        float_weights("w", (1, 3, 3, 2)),
        float_weights("b", (2,)),
        activation("y", (1, 5, 5, 2), None),
    ]
    op = depthwise_conv_2d("y", "x", "w", "b", dilation=(2, 2))

    assert versions(make_graph(tensors, [op], ["x"], ["y"])) == {"DEPTHWISE_CONV_2D": 2}


def test_operators_of_one_kind_and_version_share_their_code():
    tensors = [activation(name, (1, 2)) for name in "xyz"]
    graph = make_graph(tensors, [add("y", "x", "x"), add("z", "y", "x")], ["x"], ["z"])

    assert len(parsed(write_tflite(graph)).operatorCodes) == 1


def test_old_readers_find_the_code_in_the_deprecated_byte_too():
    for code in parsed(write_tflite(small_int8())).operatorCodes:
        assert code.deprecatedBuiltinCode == code.builtinCode


def test_long_converter_names_stay_exact():
    names = [tensor.name for tensor in parsed(write_tflite(small_int8())).subgraphs[0].tensors]

    assert CONVERTER_NAME.encode() in names


def test_an_absent_bias_between_inputs_stays_absent():
    tensors = [
        activation("x", (1, 2)),
        int8_weights("w", (3, 2), None),
        activation("y", (1, 3)),
    ]
    graph = make_graph(tensors, [fully_connected("y", "x", "w")], ["x"], ["y"])

    assert read_tflite(write_tflite(graph), graph.name) == graph


def test_a_tensor_named_like_an_operators_own_constant_keeps_its_value():
    tensors = [
        activation("x", (1, 4)),
        activation("r", (2, 2)),
        activation("r/shape", (2, 2)),
        activation("joined", (4, 2)),
    ]
    ops = [
        reshape("r", "x", (2, 2)),
        pad("r/shape", "r", [(0, 0), (0, 0)]),
        concatenation("joined", "r", "r/shape", axis=0),
    ]
    graph = make_graph(tensors, ops, ["x"], ["joined"])
    x = np.array([[[1, 2, 3, 4]]], np.int8)

    (joined,) = run_tflite(write_tflite(graph), [x], reference_of(graph))

    assert joined.tolist() == [[[1, 2], [3, 4], [1, 2], [3, 4]]]
    assert read_tflite(write_tflite(graph), graph.name) == graph


def test_a_graph_that_only_hands_its_input_on_survives():
    graph = make_graph([activation("x", (1, 2))], [], ["x"], ["x"])

    assert read_tflite(write_tflite(graph), graph.name) == graph


@pytest.mark.parametrize("dtype", [DType.INT16, DType.INT32, DType.INT64, DType.UINT8, DType.BOOL])
def test_constants_of_every_type_keep_their_bytes(dtype):
    data = np.array([[0, 1], [1, 0]], dtype.numpy)
    graph = make_graph([Tensor("c", (2, 2), dtype, data=data)], [], [], ["c"])

    assert read_tflite(write_tflite(graph), graph.name) == graph


def test_a_constant_that_is_not_contiguous_is_written_in_its_order():
    data = np.arange(6, dtype=np.float32).reshape(2, 3).T
    graph = make_graph([Tensor("c", (3, 2), DType.FLOAT32, data=data)], [], [], ["c"])

    assert read_tflite(write_tflite(graph), graph.name) == graph


def test_a_scalar_stays_a_scalar():
    data = np.array(2.5, np.float32)
    graph = make_graph([Tensor("c", (), DType.FLOAT32, data=data)], [], [], ["c"])

    again = read_tflite(write_tflite(graph), graph.name)

    assert again.tensor("c").shape == ()
    assert again == graph
