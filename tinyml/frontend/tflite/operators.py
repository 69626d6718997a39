"""The operators of a .tflite file, one after another, with what is known of their tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from tinyml.errors import InputError, ModelError
from tinyml.frontend.partial import FileOperator
from tinyml.frontend.tflite.fold import (
    as_constant,
    fold_arithmetic,
    fold_operator,
    fold_zero_product,
)
from tinyml.frontend.tflite.open_sizes import close_outputs, close_reshape
from tinyml.frontend.tflite.states import DECLARATIONS
from tinyml.frontend.tflite.tensors import names_of, text_of, values_of, with_positive_scales
from tinyml.ir.graph import Array, Shape, Tensor
from tinyml.ir.verify import verify_quant
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.registry import operators_by_opcode
from tinyml.ops.contract.tflite import TfliteNode

# Index of an optional input that is not there.
ABSENT = -1

OPCODE_NAMES = names_of(schema.BuiltinOperator)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A subgraph while its operators are read.

    ``order`` names the tensors by their index. ``tensors`` and ``signatures``, of those with sizes
    that are open, change with every operator; ``unreadable`` says what is wrong with some tensors.
    """

    model: Any
    subgraph: Any
    order: list[str]
    tensors: dict[str, Tensor]
    signatures: dict[str, Shape]
    unreadable: Mapping[str, str]
    outputs: tuple[str, ...]


def name_at(order: list[str], index: int, where: str) -> str:
    """Name of the tensor with that index, which ``where`` refers to."""
    if not 0 <= index < len(order):
        raise InputError(
            f"{where} refers to tensor {index}, the model has {len(order)}; copy or export it again"
        )
    return order[index]


def read_operators(file: OpenFile) -> tuple[tuple[FileOperator, ...], list[str]]:
    """Read all operators, and say which cannot be used and why.

    What an operator makes of constants becomes a constant among the tensors, and the operator is
    left out, unless it is one of the model's outputs.
    """
    found, refused = list[FileOperator](), list[str]()
    for place, raw in enumerate(values_of(file.subgraph.operators)):
        node = _read_node(file, raw, place)
        if node.opcode in DECLARATIONS:
            continue
        if not node.outputs:  # the name tells operators apart, whatever was declared before them
            node = replace(node, name=f"{node.opcode.lower()}_{len(found) - len(refused)}")
        try:
            _refuse_unreadable(node, file.unreadable)
            _check_intermediates(file, node, values_of(raw.intermediates))
            op, values = _read_operator(file, node)
        except ModelError as error:
            refused.append(f"operator {place}: {error}")
            found.append(_described(file, node, str(error)))
            continue
        if values is not None and not set(node.outputs) & set(file.outputs):
            file.tensors.update(_constants(node, values))
        elif op is not None:
            found.append(replace(_described(file, node), op=op))
    return tuple(found), refused


def _described(file: OpenFile, node: TfliteNode, reason: str | None = None) -> FileOperator:
    named = [name for name in (*node.outputs, *node.inputs) if name]
    is_known = named and named[0] not in file.unreadable
    output = file.tensors[named[0]] if is_known else None
    return FileOperator(kind=node.opcode, name=node.name, output=output, reason=reason)


def _refuse_unreadable(node: TfliteNode, unreadable: Mapping[str, str]) -> None:
    """Refuse an operator of a tensor that is not; what else is wrong with it matters more."""
    for name in (*node.inputs, *node.outputs):
        if name in unreadable:
            _operator_class(node)
            raise ModelError(f"{node.opcode} '{node.name}': {unreadable[name]}")


def _check_intermediates(file: OpenFile, node: TfliteNode, indices: Sequence[int]) -> None:
    """Check parameters that no tensor of the graph will hold: no later check would see them."""
    for tensor in (file.tensors[file.order[index]] for index in indices):
        if tensor.quant is None:  # that of a float model, or of a gate whose scale is fixed
            continue
        try:
            verify_quant(tensor)
        except ModelError as error:
            raise ModelError(
                f"{node.opcode} '{node.name}': {error}; convert the model again"
            ) from error


def _read_operator(
    file: OpenFile, node: TfliteNode
) -> tuple[Operator | None, tuple[Array, ...] | None]:
    """Read an operator, and what it gives where that is constant; arithmetic needs no operator."""
    close_reshape(node, file.tensors, file.signatures)
    values = fold_arithmetic(node)
    if values is not None:
        return None, values
    op = _operator_class(node).from_tflite(node)
    close_outputs(op, file.tensors, file.signatures)
    values = fold_operator(node, op)
    return op, fold_zero_product(node) if values is None else values


def _constants(node: TfliteNode, values: tuple[Array, ...]) -> dict[str, Tensor]:
    pairs = zip(node.outputs, values, strict=True)
    tensors = ((node.tensors[name], value) for name, value in pairs)
    found = [replace(t, data=as_constant(node, t, value)) for t, value in tensors]
    if node.opcode == "DEQUANTIZE":  # the integers of weights can be had again by their scales
        found = [replace(t, quant=node.tensors[node.inputs[0]].quant) for t in found]
    return {tensor.name: with_positive_scales(tensor) for tensor in found}


def _read_node(file: OpenFile, raw: Any, place: int) -> TfliteNode:
    order, tensors = file.order, file.tensors
    codes = values_of(file.model.operatorCodes)
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
        "" if index == ABSENT else name_at(order, index, where) for index in values_of(raw.inputs)
    )
    while inputs and not inputs[-1]:
        inputs = inputs[:-1]
    outputs = tuple(name_at(order, index, where) for index in values_of(raw.outputs))
    return TfliteNode(
        opcode=opcode,
        name=outputs[0] if outputs else opcode,
        inputs=inputs,
        outputs=outputs,
        options=vars(raw.builtinOptions) if raw.builtinOptions is not None else {},
        tensors=tensors,
        intermediates=tuple(
            tensors[name_at(order, index, where)].quant for index in values_of(raw.intermediates)
        ),
    )


def _operator_class(node: TfliteNode) -> type[Operator]:
    found = operators_by_opcode().get(node.opcode)
    if found is None:
        raise ModelError(f"{node.opcode} '{node.name}' is not supported ('tinyml ops' lists all)")
    return found
