"""Variables of a .tflite become the graph's states, or are refused with the reason."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from stateful import FIRST, echo

from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import State
from tinyml.ir.text import format_graph
from tinyml.ir.verify import verify_quantized


def edited(change: Callable[[Any], None]) -> bytes:
    model = schema.ModelT.InitFromPackedBuf(write_tflite(echo()), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_written_model_with_state_reads_back_the_same():
    assert read_tflite(write_tflite(echo()), "echo") == echo()


def test_two_handles_of_one_variable_are_one_state():
    def add_handle(model):
        main = model.subgraphs[0]
        handle = next(t for t in main.tensors if t.type == schema.TensorType.RESOURCE)
        declaration = next(op for op in main.operators if len(op.outputs) and op.builtinOptions)
        assign = main.operators[-1]
        other = schema.TensorT()
        other.name, other.type, other.shape = b"again", handle.type, handle.shape
        main.tensors.append(other)
        second = schema.OperatorT()
        vars(second).update(vars(declaration))
        second.outputs = np.array([len(main.tensors) - 1], np.int32)
        assign.inputs = np.array([len(main.tensors) - 1, assign.inputs[1]], np.int32)
        main.operators.insert(0, second)

    graph = read_tflite(edited(add_handle), "echo")

    assert [state.variable for state in graph.states] == ["memory"]
    assert {op.inputs[0] for op in graph.ops} == graph.state_names


def test_a_variable_without_first_value_is_refused():
    def forget(model):
        model.subgraphs[1].operators = []

    with pytest.raises(ModelError, match="variable 'memory' is never initialised"):
        read_tflite(edited(forget), "echo")


def test_an_initialiser_that_computes_is_refused():
    def compute(model):
        model.subgraphs[1].operators.append(model.subgraphs[0].operators[-2])

    with pytest.raises(ModelError, match="initialises its variables with operators"):
        read_tflite(edited(compute), "echo")


def test_a_first_value_that_is_no_constant_is_refused():
    def empty(model):
        for tensor in model.subgraphs[1].tensors:
            tensor.buffer = 0

    with pytest.raises(ModelError, match="'memory' does not start as a constant"):
        read_tflite(edited(empty), "echo")


def test_a_subgraph_that_nothing_calls_once_is_control_flow():
    def add_subgraph(model):
        model.subgraphs.append(model.subgraphs[1])

    with pytest.raises(ModelError, match=r"3 subgraphs.*control flow is not supported"):
        read_tflite(edited(add_subgraph), "echo")


def test_a_call_of_a_subgraph_that_does_not_exist_is_refused():
    def call(model):
        model.subgraphs[0].operators[0].builtinOptions.initSubgraphIndex = 9

    with pytest.raises((InputError, ModelError), match="subgraph"):
        read_tflite(edited(call), "echo")


def test_a_variable_tensor_of_an_absurd_size_is_refused_before_it_is_made():
    def grow(model):
        tensor = model.subgraphs[0].tensors[0]
        tensor.isVariable = True
        tensor.shape = np.array([2**28 + 1, 512], np.int32)

    with pytest.raises(ModelError, match=r"takes 137,438,953,984 bytes, expected at most"):
        read_tflite(edited(grow), "echo")


def test_the_text_of_a_graph_shows_its_states():
    assert "states:\n  'kept': at first" in format_graph(echo())


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ((State("kept", FIRST), State("kept", FIRST)), "two states share one tensor"),
        ((State("nowhere", FIRST),), "'nowhere' is no tensor that can change"),
        ((State("x", FIRST),), "'x' is an input or output"),
        ((State("kept", FIRST[:, :2]),), "starts as int8"),
    ],
)
def test_states_that_do_not_fit_their_tensors_are_refused(states, message):
    with pytest.raises(ModelError, match=message):
        verify_quantized(replace(echo(), states=states))
