"""QUANTIZE where layers of int8 and of int16 activations meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tinyml.errors import InputError
from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.quantize import Quantize
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.observers import Range
from tinyml.quantize.scheme import Scheme


def activation_dtypes(graph: Graph, scheme: Scheme) -> Mapping[str, DType]:
    """Dtype of every activation, and of constants used like one, where widths were split.

    It is that of the operator that writes it; inputs have the scheme's own, constants that of the
    first that reads them.
    """
    dtypes = {name: scheme.activations_of(op) for name, op in graph.producers.items()}
    dtypes |= dict.fromkeys(graph.inputs, scheme.activations)
    for op in graph.ops:
        for name in op.present_inputs:
            dtypes.setdefault(name, scheme.activations_of(op))
    return dtypes


def split_widths(
    graph: Graph, table: CalibrationTable, scheme: Scheme
) -> tuple[Graph, CalibrationTable]:
    """Let each operator read and write the dtype that the scheme has for it.

    Inputs and outputs of the graph keep the scheme's own. Raises InputError where the device has no
    kernel for the dtype.
    """
    if all(override.activations is None for override in scheme.overrides):
        return graph, table
    for op in operators(graph):
        _require_kernel(graph, op, scheme)
    graph, table = _split_outputs(graph, table, scheme)
    return _split_inputs(graph, table, scheme)


def _require_kernel(graph: Graph, op: Operator, scheme: Scheme) -> None:
    dtype = scheme.activations_of(op)
    if dtype is scheme.activations or dtype in op.as_int8().kernels or not _reals(graph, op):
        return
    others = {DType.INT8: "int16", DType.INT16: "int8"}
    raise InputError(
        f"layer '{op.name}' ({op.kind}) is to have {dtype.value} activations, for which the device "
        f"has no kernel; leave it out of the pattern, with a later [[layer]] of the same name and "
        f'activations = "{others[dtype]}"'
    )


def _reals(graph: Graph, op: Op) -> list[str]:
    return [n for n in op.present_inputs if graph.tensor(n).dtype is DType.FLOAT32]


def _split_outputs(
    graph: Graph, table: CalibrationTable, scheme: Scheme
) -> tuple[Graph, CalibrationTable]:
    """Write outputs of another dtype under another name, and QUANTIZE them behind it."""
    tensors, ranges, ops = dict(graph.tensors), dict(table.ranges), list(graph.ops)
    for name in graph.outputs:
        op = graph.producers.get(name)
        if op is None or graph.tensor(name).dtype is not DType.FLOAT32:
            continue
        dtype = scheme.activations_of(op)
        if dtype is scheme.activations:
            continue
        moved = _add(tensors, ranges, name, dtype)
        ops = [_with_tensor(each, name, moved) for each in ops]
        ops.append(
            Quantize(
                name=f"{name}/{scheme.activations.value}",
                inputs=(moved,),
                outputs=(name,),
                dtype=scheme.activations,
            )
        )
    changed = replace(graph, tensors=tensors, ops=tuple(ops))
    return changed, replace(table, ranges=ranges)


def _with_tensor(op: Op, name: str, moved: str) -> Op:
    """The same operator, by its name too, where a tensor has another."""
    return replace(
        op,
        inputs=tuple(moved if each == name else each for each in op.inputs),
        outputs=tuple(moved if each == name else each for each in op.outputs),
    )


def _split_inputs(
    graph: Graph, table: CalibrationTable, scheme: Scheme
) -> tuple[Graph, CalibrationTable]:
    """Put one QUANTIZE before all operators that read a tensor in another dtype."""
    tensors, ranges = dict(graph.tensors), dict(table.ranges)
    dtypes = activation_dtypes(graph, scheme)
    ops: dict[str, Op] = {}  # by name, in order: a QUANTIZE stands before its first reader
    for op in operators(graph):
        dtype, inputs = scheme.activations_of(op), list(op.inputs)
        for index in _real_places(graph, op):
            name = op.inputs[index]
            if dtypes[name] is dtype:
                continue
            moved = inputs[index] = _add(tensors, ranges, name, dtype)
            if not graph.tensor(name).is_constant:
                quantize = Quantize(name=moved, inputs=(name,), outputs=(moved,), dtype=dtype)
                ops.setdefault(moved, quantize)
        ops[op.name] = replace(op, inputs=tuple(inputs))
    changed = replace(graph, tensors=tensors, ops=tuple(ops.values()))
    return changed, replace(table, ranges=ranges)


def _real_places(graph: Graph, op: Operator) -> list[int]:
    """Places of the activations that an operator reads, and of constants used like one."""
    if isinstance(op, Quantize):
        return []
    rule = op.quantization_rule(graph)
    places = {*range(len(op.inputs))} - {*rule.weights, rule.bias}
    names = {place: op.inputs[place] for place in sorted(places) if op.inputs[place]}
    return [p for p, name in names.items() if graph.tensor(name).dtype is DType.FLOAT32]


def _add(tensors: dict[str, Tensor], ranges: dict[str, Range], name: str, dtype: DType) -> str:
    """Add a copy of a tensor that has another dtype once quantized."""
    moved = f"{name}/{dtype.value}"
    tensors[moved] = replace(tensors[name], name=moved)
    if name in ranges:
        ranges[moved] = ranges[name]
    return moved
