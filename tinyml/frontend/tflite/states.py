"""What a .tflite file says of state: variables with their initialisers, and variable tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyml.errors import InputError, ModelError
from tinyml.frontend.tflite.tensors import RESOURCE, text_of, values_of
from tinyml.ir.graph import DType, QuantParams, State, Tensor
from tinyml.ir.verify import verify_size

# Operators that say which state there is and how it starts; they compute nothing.
DECLARATIONS = frozenset({"CALL_ONCE", "VAR_HANDLE"})

ReadTensor = Callable[[Any, Any, str], Tensor]


def initialisers(model: Any, subgraph: Any) -> set[int]:
    """Indices of the subgraphs that run once, before the first inference."""
    calls = _operators(model, subgraph, schema.BuiltinOperator.CALL_ONCE)
    return {int(_options(call, schema.CallOnceOptionsT).initSubgraphIndex) for call in calls}


def read_variables(
    model: Any, subgraph: Any, tensors: dict[str, Tensor], order: list[str], read_tensor: ReadTensor
) -> list[State]:
    """Give each variable the tensor of its first handle, and ``order`` that name for all handles.

    Raises ModelError where one has no constant to start from.
    """
    initial = _initial_values(model, subgraph, read_tensor)
    states: dict[str, State] = {}
    resolved: set[int] = set()
    for index, variable in _handles(model, subgraph).items():
        resolved.add(index)
        if variable in states:
            order[index] = states[variable].tensor
            continue
        name, start = order[index], initial.get(variable)
        if start is None:
            raise ModelError(
                f"variable '{variable}' is never initialised, expected a constant that CALL_ONCE "
                "assigns"
            )
        quant = _quant_of_reads(model, subgraph, tensors, order, index) or start.quant
        tensors[name] = Tensor(name, start.shape, start.dtype, quant)
        states[variable] = State(name, start.constant, variable)
    for index, raw in enumerate(values_of(subgraph.tensors)):
        if raw.type == RESOURCE and index not in resolved:
            raise ModelError(
                f"tensor '{order[index]}' has type RESOURCE and is no variable, which is not "
                "supported"
            )
    return list(states.values())


def read_variable_tensors(
    subgraph: Any, tensors: dict[str, Tensor], order: list[str]
) -> Iterator[State]:
    """Tensors an operator keeps for itself; the runtimes start them as integer or real zero."""
    for name, raw in zip(order, values_of(subgraph.tensors), strict=True):
        if raw.isVariable:
            tensor = replace(tensors[name], data=None)
            verify_size(tensor)
            tensors[name] = tensor
            byte = tensor.zero_point if tensor.dtype is DType.INT8 and tensor.quant else 0
            yield State(name, np.full(tensor.shape, byte, tensor.dtype.numpy))


def _operators(model: Any, subgraph: Any, opcode: int) -> list[Any]:
    codes = values_of(model.operatorCodes)
    wanted = {
        index
        for index, code in enumerate(codes)
        if max(code.builtinCode, code.deprecatedBuiltinCode) == opcode
    }
    return [raw for raw in values_of(subgraph.operators) if raw.opcodeIndex in wanted]


def _options(raw: Any, table: type) -> Any:
    """Options of an operator that says nothing without them."""
    if not isinstance(raw.builtinOptions, table):
        raise ValueError(f"an operator lacks its options, {table.__name__.removesuffix('T')}")
    return raw.builtinOptions


def _handles(model: Any, subgraph: Any) -> dict[int, str]:
    """Tensor index to the variable whose handle it is."""
    handles = {}
    for raw in _operators(model, subgraph, schema.BuiltinOperator.VAR_HANDLE):
        options = _options(raw, schema.VarHandleOptionsT)
        container, name = map(text_of, (options.container, options.sharedName))
        handles[int(values_of(raw.outputs)[0])] = f"{container}/{name}" if container else name
    return handles


def _initial_values(model: Any, subgraph: Any, read_tensor: ReadTensor) -> dict[str, Tensor]:
    """Variable to the constant that is assigned before the first inference."""
    values: dict[str, Tensor] = {}
    for index in sorted(initialisers(model, subgraph)):
        if not 0 < index < len(model.subgraphs):
            raise InputError(
                f"CALL_ONCE refers to subgraph {index}, the model has {len(model.subgraphs)}; "
                "copy or export it again"
            )
        values.update(_assigned_constants(model, model.subgraphs[index], read_tensor))
    return values


def _assigned_constants(
    model: Any, subgraph: Any, read_tensor: ReadTensor
) -> Iterator[tuple[str, Tensor]]:
    handles = _handles(model, subgraph)
    assignments = _operators(model, subgraph, schema.BuiltinOperator.ASSIGN_VARIABLE)
    if len(values_of(subgraph.operators)) != len(handles) + len(assignments):
        raise ModelError(
            "the model initialises its variables with operators, expected constants; convert it "
            "with constant initial values"
        )
    for raw in assignments:
        handle, index = (int(place) for place in values_of(raw.inputs))
        value = read_tensor(
            model, values_of(subgraph.tensors)[index], f"initial value of '{handles[handle]}'"
        )
        if not value.is_constant:
            raise ModelError(
                f"variable '{handles[handle]}' does not start as a constant, expected one"
            )
        yield handles[handle], value


def _quant_of_reads(
    model: Any, subgraph: Any, tensors: dict[str, Tensor], order: list[str], handle: int
) -> QuantParams | None:
    """Parameters of the first value read; the initial constant is not bound to state any."""
    for raw in _operators(model, subgraph, schema.BuiltinOperator.READ_VARIABLE):
        if int(values_of(raw.inputs)[0]) == handle:
            return tensors[order[int(values_of(raw.outputs)[0])]].quant
    return None
