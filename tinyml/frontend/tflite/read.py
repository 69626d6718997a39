"""A .tflite flatbuffer to a Graph, float or int8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from tinyml.errors import InputError, ModelError
from tinyml.frontend.damaged import BROKEN_PROMISES, damaged
from tinyml.frontend.partial import (
    FileOperator,
    PartialModel,
    PartlyReadError,
    listed,
    noting,
    partly_read,
)
from tinyml.frontend.tflite.open_sizes import close_inputs, open_signatures, refuse_open
from tinyml.frontend.tflite.operators import OpenFile, name_at, read_operators
from tinyml.frontend.tflite.signatures import chosen_subgraph, other_subgraphs, with_own_names
from tinyml.frontend.tflite.small_weights import widen_weights
from tinyml.frontend.tflite.states import initialisers, read_variable_tensors, read_variables
from tinyml.frontend.tflite.tensors import read_tensor, read_tensors, values_of
from tinyml.ir.graph import Graph, Shape, State, is_quantized
from tinyml.ir.verify import verify_float, verify_quantized
from tinyml.passes.orders import TFLITE, TFLITE_FLOAT, TFLITE_QUANTIZED, rewritten

IDENTIFIER = b"TFL3"


def read_tflite(data: bytes, name: str, signature: str | None = None) -> Graph:
    """Read and verify a model.

    ``name`` becomes the graph's name and stands in messages; ``signature`` is the one to read of a
    model that has several. Raises InputError where the bytes are
    no TFLite model, ModelError where the model asks for what tinyml cannot do; operators that are
    not supported are listed all at once.
    """
    if data[4:8] != IDENTIFIER:
        raise InputError(
            f"'{name}' is not a TFLite model: expected the identifier 'TFL3' at byte 4, "
            f"got {data[4:8]!r}; give a .tflite file"
        )
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
    except Exception as error:  # the generated code trusts every offset and length
        raise damaged("TFLite", data, name, error) from error
    try:
        return _read_model(model, name, signature)
    except BROKEN_PROMISES as error:
        raise damaged("TFLite", data, name, error) from error


def _read_model(model: Any, name: str, signature: str | None) -> Graph:
    """Read all there is, then refuse what cannot be used, so that the error can show the rest."""
    chosen = chosen_subgraph(model, name, signature)
    problems = _control_flow(model, name, chosen)
    subgraph = model.subgraphs[chosen]
    tensors, unreadable = read_tensors(model, subgraph)
    order = list(tensors)
    problems += unreadable.values()
    states: list[State] = []
    with noting(problems):
        states += read_variables(model, subgraph, tensors, order, read_tensor)
        states += read_variable_tensors(subgraph, tensors, order)
    inputs = tuple(name_at(order, index, "an input") for index in values_of(subgraph.inputs))
    outputs = tuple(name_at(order, index, "an output") for index in values_of(subgraph.outputs))
    signatures = open_signatures(subgraph, order)
    problems += close_inputs(inputs, tensors, signatures)
    with noting(problems):
        widen_weights(subgraph, tensors, order)
    file = OpenFile(
        model=model,
        subgraph=subgraph,
        order=order,
        tensors=tensors,
        signatures=signatures,
        unreadable=unreadable,
        outputs=outputs,
    )
    found, refused = read_operators(file)
    if problems or refused:
        raise _partly_read(file, name, inputs, found, problems, refused)
    ops = tuple(operator.op for operator in found if operator.op is not None)
    graph = Graph(name, tensors, ops, inputs, outputs, tuple(states)).pruned()
    return with_own_names(_verified(graph, signatures), model, signature, order)


def _partly_read(
    file: OpenFile,
    name: str,
    inputs: tuple[str, ...],
    found: tuple[FileOperator, ...],
    problems: list[str],
    refused: list[str],
) -> PartlyReadError:
    """Make the error that shows what could be read."""
    total = len(values_of(file.subgraph.operators))
    known = {name: t for name, t in file.tensors.items() if name not in file.unreadable}
    partial = PartialModel(
        name=name,
        inputs={name: known.get(name) for name in inputs},
        outputs={name: known.get(name) for name in file.outputs},
        operators=found,
        tensors=file.tensors,
        problems=tuple(problems),
    )
    message = problems[0] if problems else listed(refused, total, "operator")
    return PartlyReadError(message, partial)


def _verified(graph: Graph, signatures: Mapping[str, Shape]) -> Graph:
    try:
        refuse_open(signatures, graph)
        graph = rewritten(graph, TFLITE)
        if not is_quantized(graph):
            return rewritten(graph, TFLITE_FLOAT, verify_float)
        graph = rewritten(graph, TFLITE_QUANTIZED)
        verify_quantized(graph)
    except ModelError as error:
        raise partly_read(graph, error) from error
    return graph


def _control_flow(model: Any, name: str, chosen: int) -> list[str]:
    """What is wrong with the other subgraphs: some only say how variables start.

    Those of other signatures, and what they call, do not matter.
    """
    subgraphs = values_of(model.subgraphs)
    refusal = (
        f"'{name}' has {len(subgraphs)} subgraphs, expected 1 and those that initialise "
        "variables: control flow is not supported; build recurrent Keras layers with unroll=True"
    )
    if not subgraphs:
        raise ModelError(refusal)
    signed = other_subgraphs(model, chosen)
    started = {
        index for each in (chosen, *signed) for index in initialisers(model, subgraphs[each])
    }
    others = set(range(len(subgraphs))) - {chosen, *signed, *started}
    return [refusal] if others else []
