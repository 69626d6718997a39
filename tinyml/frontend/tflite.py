"""A .tflite flatbuffer to a Graph, float or int8."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyml.errors import InputError, ModelError, TinymlError
from tinyml.frontend.int4 import unpack_int4
from tinyml.frontend.tflite_fold import as_constant, fold_arithmetic, fold_operator
from tinyml.frontend.tflite_states import (
    DECLARATIONS,
    RESOURCE,
    initialisers,
    read_variable_tensors,
    read_variables,
)
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, Tensor
from tinyml.ir.verify import verify_float, verify_quantized
from tinyml.ops.base import Operator, TfliteNode
from tinyml.ops.registry import operators_by_opcode
from tinyml.passes.requantize_joined import requantize_joined

IDENTIFIER = b"TFL3"

# Index of an optional input that is not there.
ABSENT = -1

DTYPES = {
    schema.TensorType.FLOAT32: DType.FLOAT32,
    schema.TensorType.FLOAT16: DType.FLOAT16,
    schema.TensorType.INT8: DType.INT8,
    schema.TensorType.INT4: DType.INT8,  # of constants, which are unpacked
    schema.TensorType.INT16: DType.INT16,
    schema.TensorType.INT32: DType.INT32,
    schema.TensorType.INT64: DType.INT64,
    schema.TensorType.UINT8: DType.UINT8,
    schema.TensorType.BOOL: DType.BOOL,
}


def _names(enumeration: type) -> Mapping[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


OPCODE_NAMES = _names(schema.BuiltinOperator)
TYPE_NAMES = _names(schema.TensorType)


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
        return _read_model(schema.ModelT.InitFromPackedBuf(data, 0), name)
    except TinymlError:
        raise
    except Exception as error:  # a damaged file breaks any promise of the schema
        raise InputError(
            f"'{name}' is a damaged TFLite model ({len(data)} bytes; {type(error).__name__}: "
            f"{error}); copy or export it again"
        ) from error


def is_quantized(graph: Graph) -> bool:
    """Whether any activation is an integer with a scale."""
    return any(t.quant is not None and not t.is_constant for t in graph.tensors.values())


def _read_model(model: Any, name: str) -> Graph:
    subgraph = _main_subgraph(model, name)
    tensors = _read_tensors(model, subgraph)
    order = list(tensors)
    states = [
        *read_variables(model, subgraph, tensors, order, _read_tensor),
        *read_variable_tensors(subgraph, tensors, order),
    ]
    inputs = tuple(_name_at(order, index, "an input") for index in _list(subgraph.inputs))
    outputs = tuple(_name_at(order, index, "an output") for index in _list(subgraph.outputs))
    ops = _read_ops(model, subgraph, tensors, order, outputs)
    graph = Graph(
        name=name,
        tensors=tensors,
        ops=ops,
        inputs=inputs,
        outputs=outputs,
        states=tuple(states),
    ).pruned()
    _refuse_dynamic_shapes(subgraph, order, graph)
    if is_quantized(graph):
        graph = requantize_joined(graph)
        verify_quantized(graph)
    else:
        verify_float(graph)
    return graph


def _main_subgraph(model: Any, name: str) -> Any:
    """Give the first subgraph; the others may only say how the model's variables start."""
    subgraphs = _list(model.subgraphs)
    others = set(range(1, len(subgraphs)))
    if not subgraphs or others - initialisers(model, subgraphs[0]):
        raise ModelError(
            f"'{name}' has {len(subgraphs)} subgraphs, expected 1 and those that initialise "
            "variables: control flow is not supported"
        )
    return subgraphs[0]


def _list(values: Any) -> list[Any]:
    """Vectors of the schema are None where they are empty."""
    return [] if values is None else list(values)


def _name_at(order: list[str], index: int, where: str) -> str:
    """Name of the tensor with that index, which ``where`` refers to."""
    if not 0 <= index < len(order):
        raise InputError(
            f"{where} refers to tensor {index}, the model has {len(order)}; copy or export it again"
        )
    return order[index]


def _text(raw: Any) -> str:
    return "" if raw is None else bytes(raw).decode("utf-8", "replace")


# --------------------------------------------------------------------------- tensors


def _read_tensors(model: Any, subgraph: Any) -> dict[str, Tensor]:
    """Read every tensor in file order, under a name that is unique and not empty."""
    tensors: dict[str, Tensor] = {}
    for index, raw in enumerate(_list(subgraph.tensors)):
        name = _text(raw.name) or f"tensor_{index}"
        while name in tensors:
            name = f"{name}#{index}"
        tensors[name] = _read_tensor(model, raw, name)
    return tensors


def _read_tensor(model: Any, raw: Any, name: str) -> Tensor:
    if raw.type == RESOURCE:  # a handle, in whose place the variable's own tensor comes
        return Tensor(name, (), DType.INT32)
    if raw.type not in DTYPES:
        kind = TYPE_NAMES.get(raw.type, raw.type)
        supported = ", ".join(dict.fromkeys(dtype.value for dtype in DTYPES.values()))
        raise ModelError(f"tensor '{name}' has type {kind}, expected one of {supported}")
    if raw.sparsity is not None:
        raise ModelError(f"tensor '{name}' is sparse, expected dense; convert without sparsity")
    dtype = DTYPES[raw.type]
    shape: Shape = tuple(int(size) for size in _list(raw.shape))
    if any(size < 0 for size in shape):
        raise ModelError(
            f"tensor '{name}' has the dynamic shape {shape}, expected static sizes; "
            "fix the model's input shape before converting it"
        )
    # What a converter noted of a float tensor's range means nothing to a kernel.
    quant = None if dtype is DType.FLOAT32 else _read_quant(raw)
    return Tensor(name, shape, dtype, quant, _read_data(model, raw, name, shape, dtype))


def _read_quant(raw: Any) -> QuantParams | None:
    quant = raw.quantization
    scale = _list(quant.scale) if quant is not None else []
    if not scale:
        return None
    zero_point = [int(value) for value in _list(quant.zeroPoint)] or [0] * len(scale)
    dimension = int(quant.quantizedDimension) if len(scale) > 1 else None
    return QuantParams(tuple(map(float, scale)), tuple(zero_point), dimension)


def _read_data(model: Any, raw: Any, name: str, shape: Shape, dtype: DType) -> Array | None:
    buffers = _list(model.buffers)
    if not 0 <= raw.buffer < len(buffers):
        raise InputError(f"tensor '{name}' refers to buffer {raw.buffer}, which does not exist")
    data = buffers[raw.buffer].data
    if data is None or len(data) == 0:
        if raw.type == schema.TensorType.INT4:
            raise ModelError(f"tensor '{name}' is int4 and no constant, expected int8 or int16")
        return None
    if raw.type == schema.TensorType.INT4:
        return unpack_int4(bytes(data), name, shape)
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise InputError(
            f"constant '{name}' {dtype.value} {shape} needs {expected} bytes, its buffer has "
            f"{len(data)}"
        )
    return np.frombuffer(bytes(data), dtype.numpy).reshape(shape)


def _refuse_dynamic_shapes(subgraph: Any, order: list[str], graph: Graph) -> None:
    """Only the batch, the first dimension, may be open: the device runs one sample at a time."""
    for name, raw in zip(order, _list(subgraph.tensors), strict=True):
        signature = _list(raw.shapeSignature)
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
) -> tuple[Operator, ...]:
    """Read all operators; those that cannot be read are reported together.

    What an operator makes of constants becomes a constant among ``tensors``, and the operator is
    left out, unless it is one of the model's ``outputs``.
    """
    ops, refused = list[Operator](), list[str]()
    for place, raw in enumerate(_list(subgraph.operators)):
        node = _read_node(model, raw, place, tensors, order)
        if node.opcode in DECLARATIONS:
            continue
        if not node.outputs:  # the name tells operators apart, whatever was declared before them
            node = replace(node, name=f"{node.opcode.lower()}_{len(ops)}")
        try:
            op, values = _read_operator(node)
        except ModelError as error:
            refused.append(f"operator {place}: {error}")
            continue
        if values is not None and not set(node.outputs) & set(outputs):
            tensors.update(_constants(node, values))
        elif op is not None:
            ops.append(op)
    if refused:
        count = f"{len(refused)} of the model's {len(_list(subgraph.operators))} operators"
        raise ModelError("\n  ".join([f"{count} cannot be used:", *refused]))
    return tuple(ops)


def _read_operator(node: TfliteNode) -> tuple[Operator | None, tuple[Array, ...] | None]:
    """Read an operator, and what it gives where that is constant; arithmetic needs no operator."""
    values = fold_arithmetic(node)
    if values is not None:
        return None, values
    op = _operator_class(node).from_tflite(node)
    return op, fold_operator(node, op)


def _constants(node: TfliteNode, values: tuple[Array, ...]) -> dict[str, Tensor]:
    pairs = zip(node.outputs, values, strict=True)
    tensors = ((node.tensors[name], value) for name, value in pairs)
    return {t.name: replace(t, data=as_constant(node, t, value)) for t, value in tensors}


def _read_node(
    model: Any, raw: Any, place: int, tensors: Mapping[str, Tensor], order: list[str]
) -> TfliteNode:
    codes = _list(model.operatorCodes)
    if not 0 <= raw.opcodeIndex < len(codes):
        raise InputError(
            f"operator {place} refers to operator code {raw.opcodeIndex}, the model has "
            f"{len(codes)}; copy or export it again"
        )
    code = codes[raw.opcodeIndex]
    # Files written before the field was widened hold the code in the deprecated byte.
    opcode = OPCODE_NAMES.get(max(code.builtinCode, code.deprecatedBuiltinCode), "UNKNOWN")
    if opcode == "CUSTOM":
        opcode = f"CUSTOM {_text(code.customCode)}"
    where = f"operator {place}"
    inputs = tuple(
        "" if index == ABSENT else _name_at(order, index, where) for index in _list(raw.inputs)
    )
    while inputs and not inputs[-1]:
        inputs = inputs[:-1]
    outputs = tuple(_name_at(order, index, where) for index in _list(raw.outputs))
    return TfliteNode(
        opcode=opcode,
        name=outputs[0] if outputs else opcode,
        inputs=inputs,
        outputs=outputs,
        options=vars(raw.builtinOptions) if raw.builtinOptions is not None else {},
        tensors=tensors,
        intermediates=tuple(
            tensors[_name_at(order, index, where)].quant for index in _list(raw.intermediates)
        ),
    )


def _operator_class(node: TfliteNode) -> type[Operator]:
    found = operators_by_opcode().get(node.opcode)
    if found is None:
        raise ModelError(f"{node.opcode} '{node.name}' is not supported ('tinyml ops' lists all)")
    return found
