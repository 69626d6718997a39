"""A .tflite flatbuffer to a Graph, float or int8."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from tinyml.frontend.tflite.fold import (
    as_constant,
    fold_arithmetic,
    fold_operator,
    fold_zero_product,
)
from tinyml.frontend.tflite.states import (
    DECLARATIONS,
    initialisers,
    read_variable_tensors,
    read_variables,
)
from tinyml.frontend.tflite.tensors import (
    names_of,
    read_tensor,
    read_tensors,
    text_of,
    values_of,
    with_positive_scales,
)
from tinyml.ir.graph import Array, Graph, State, Tensor
from tinyml.ir.verify import verify_float, verify_quant, verify_quantized
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.registry import operators_by_opcode
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.passes.drop_zero_sums import drop_zero_sums
from tinyml.passes.multiply_computed_weights import multiply_computed_weights
from tinyml.passes.requantize_joined import requantize_joined
from tinyml.passes.signed_edges import signed_edges
from tinyml.passes.split_groups import split_groups

IDENTIFIER = b"TFL3"

# Index of an optional input that is not there.
ABSENT = -1

OPCODE_NAMES = names_of(schema.BuiltinOperator)


def read_tflite(data: bytes, name: str) -> Graph:
    """Read and verify a model.

    ``name`` becomes the graph's name and stands in messages. Raises InputError where the bytes are
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
        return _read_model(model, name)
    except BROKEN_PROMISES as error:
        raise damaged("TFLite", data, name, error) from error


def is_quantized(graph: Graph) -> bool:
    """Whether any activation is an integer with a scale."""
    return any(t.quant is not None and not t.is_constant for t in graph.tensors.values())


def _read_model(model: Any, name: str) -> Graph:
    """Read all there is, then refuse what cannot be used, so that the error can show the rest."""
    problems = _control_flow(model, name)
    subgraph = model.subgraphs[0]
    tensors, unreadable = read_tensors(model, subgraph)
    order = list(tensors)
    problems += unreadable.values()
    states: list[State] = []
    with noting(problems):
        states += read_variables(model, subgraph, tensors, order, read_tensor)
        states += read_variable_tensors(subgraph, tensors, order)
    inputs = tuple(_name_at(order, index, "an input") for index in values_of(subgraph.inputs))
    outputs = tuple(_name_at(order, index, "an output") for index in values_of(subgraph.outputs))
    found, refused = _read_ops(model, subgraph, tensors, order, outputs, unreadable)
    if problems or refused:
        total = len(values_of(subgraph.operators))
        known = {name: t for name, t in tensors.items() if name not in unreadable}
        message = problems[0] if problems else listed(refused, total, "operator")
        raise PartlyReadError(
            message,
            PartialModel(
                name=name,
                inputs={name: known.get(name) for name in inputs},
                outputs={name: known.get(name) for name in outputs},
                operators=found,
                tensors=tensors,
                problems=tuple(problems),
            ),
        )
    graph = Graph(
        name=name,
        tensors=tensors,
        ops=tuple(operator.op for operator in found if operator.op is not None),
        inputs=inputs,
        outputs=outputs,
        states=tuple(states),
    ).pruned()
    return _verified(graph, subgraph, order)


def _verified(graph: Graph, subgraph: Any, order: list[str]) -> Graph:
    try:
        _refuse_dynamic_shapes(subgraph, order, graph)
        graph = split_groups(multiply_computed_weights(graph))
        if not is_quantized(graph):
            graph = drop_zero_sums(graph)
            verify_float(graph)
            return graph
        graph = requantize_joined(signed_edges(graph))
        verify_quantized(graph)
    except ModelError as error:
        raise partly_read(graph, error) from error
    return graph


def _control_flow(model: Any, name: str) -> list[str]:
    """What is wrong with the subgraphs after the first: some only say how variables start."""
    subgraphs = values_of(model.subgraphs)
    refusal = (
        f"'{name}' has {len(subgraphs)} subgraphs, expected 1 and those that initialise "
        "variables: control flow is not supported; build recurrent Keras layers with unroll=True"
    )
    if not subgraphs:
        raise ModelError(refusal)
    others = set(range(1, len(subgraphs)))
    return [refusal] if others - initialisers(model, subgraphs[0]) else []


def _name_at(order: list[str], index: int, where: str) -> str:
    """Name of the tensor with that index, which ``where`` refers to."""
    if not 0 <= index < len(order):
        raise InputError(
            f"{where} refers to tensor {index}, the model has {len(order)}; copy or export it again"
        )
    return order[index]


# --------------------------------------------------------------------------- tensors


def _refuse_dynamic_shapes(subgraph: Any, order: list[str], graph: Graph) -> None:
    """Only the batch, the first dimension, may be open: the device runs one sample at a time."""
    for name, raw in zip(order, values_of(subgraph.tensors), strict=True):
        signature = values_of(raw.shapeSignature)
        if name in graph.tensors and any(size < 0 for size in signature[1:]):
            shown = ", ".join("?" if size < 0 else str(size) for size in signature)
            raise ModelError(
                f"tensor '{name}' has the dynamic shape ({shown}), expected static sizes; "
                "fix the model's input shape before converting it"
            )


# --------------------------------------------------------------------------- operators


def _read_ops(
    model: Any,
    subgraph: Any,
    tensors: dict[str, Tensor],
    order: list[str],
    outputs: tuple[str, ...],
    unreadable: Mapping[str, str],
) -> tuple[tuple[FileOperator, ...], list[str]]:
    """Read all operators, and say which cannot be used and why.

    What an operator makes of constants becomes a constant among ``tensors``, and the operator is
    left out, unless it is one of the model's ``outputs``.
    """
    found, refused = list[FileOperator](), list[str]()
    for place, raw in enumerate(values_of(subgraph.operators)):
        node = _read_node(model, raw, place, tensors, order)
        if node.opcode in DECLARATIONS:
            continue
        if not node.outputs:  # the name tells operators apart, whatever was declared before them
            node = replace(node, name=f"{node.opcode.lower()}_{len(found) - len(refused)}")
        named = [name for name in (*node.outputs, *node.inputs) if name]
        is_known = named and named[0] not in unreadable
        output = tensors[named[0]] if is_known else None
        operator = FileOperator(kind=node.opcode, name=node.name, output=output)
        try:
            _refuse_unreadable(node, unreadable)
            _check_intermediates(node, (tensors[order[i]] for i in values_of(raw.intermediates)))
            op, values = _read_operator(node)
        except ModelError as error:
            refused.append(f"operator {place}: {error}")
            found.append(replace(operator, reason=str(error)))
            continue
        if values is not None and not set(node.outputs) & set(outputs):
            tensors.update(_constants(node, values))
        elif op is not None:
            found.append(replace(operator, op=op))
    return tuple(found), refused


def _refuse_unreadable(node: TfliteNode, unreadable: Mapping[str, str]) -> None:
    """Refuse an operator of a tensor that is not; what else is wrong with it matters more."""
    for name in (*node.inputs, *node.outputs):
        if name in unreadable:
            _operator_class(node)
            raise ModelError(f"{node.opcode} '{node.name}': {unreadable[name]}")


def _check_intermediates(node: TfliteNode, intermediates: Iterable[Tensor]) -> None:
    """Check parameters that no tensor of the graph will hold: no later check would see them."""
    for tensor in intermediates:
        if tensor.quant is None:  # that of a float model, or of a gate whose scale is fixed
            continue
        try:
            verify_quant(tensor)
        except ModelError as error:
            raise ModelError(
                f"{node.opcode} '{node.name}': {error}; convert the model again"
            ) from error


def _read_operator(node: TfliteNode) -> tuple[Operator | None, tuple[Array, ...] | None]:
    """Read an operator, and what it gives where that is constant; arithmetic needs no operator."""
    values = fold_arithmetic(node)
    if values is not None:
        return None, values
    op = _operator_class(node).from_tflite(node)
    values = fold_operator(node, op)
    return op, fold_zero_product(node) if values is None else values


def _constants(node: TfliteNode, values: tuple[Array, ...]) -> dict[str, Tensor]:
    pairs = zip(node.outputs, values, strict=True)
    tensors = ((node.tensors[name], value) for name, value in pairs)
    return {
        t.name: with_positive_scales(replace(t, data=as_constant(node, t, value)))
        for t, value in tensors
    }


def _read_node(
    model: Any, raw: Any, place: int, tensors: Mapping[str, Tensor], order: list[str]
) -> TfliteNode:
    codes = values_of(model.operatorCodes)
    if not 0 <= raw.opcodeIndex < len(codes):
        raise InputError(
            f"operator {place} refers to operator code {raw.opcodeIndex}, the model has "
            f"{len(codes)}; copy or export it again"
        )
    code = codes[raw.opcodeIndex]
    # Files written before the field was widened hold the code in the deprecated byte.
    opcode = OPCODE_NAMES.get(max(code.builtinCode, code.deprecatedBuiltinCode), "UNKNOWN")
    if opcode == "CUSTOM":
        opcode = f"CUSTOM {text_of(code.customCode)}"
    where = f"operator {place}"
    inputs = tuple(
        "" if index == ABSENT else _name_at(order, index, where) for index in values_of(raw.inputs)
    )
    while inputs and not inputs[-1]:
        inputs = inputs[:-1]
    outputs = tuple(_name_at(order, index, where) for index in values_of(raw.outputs))
    return TfliteNode(
        opcode=opcode,
        name=outputs[0] if outputs else opcode,
        inputs=inputs,
        outputs=outputs,
        options=vars(raw.builtinOptions) if raw.builtinOptions is not None else {},
        tensors=tensors,
        intermediates=tuple(
            tensors[_name_at(order, index, where)].quant for index in values_of(raw.intermediates)
        ),
    )


def _operator_class(node: TfliteNode) -> type[Operator]:
    found = operators_by_opcode().get(node.opcode)
    if found is None:
        raise ModelError(f"{node.opcode} '{node.name}' is not supported ('tinyml ops' lists all)")
    return found
